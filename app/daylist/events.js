// which events are on screen → what is asked of the server, and what it answered: one page a row, a few rows ahead.

import { filtersOf } from "./address.js";

export const AHEAD = 6; // rows whose events are there before they are looked at

export class Events {
  constructor() {
    this.pages = new Map();
    this.filters = filtersOf("");
    this.offsets = new Map();
  }

  key(id) {
    return JSON.stringify([id, this.offsets.get(id) ?? 0, this.filters]);
  }

  take(pages, lang) {
    if (lang !== this.lang) this.pages.clear();
    this.lang = lang;
    for (const [key, page] of Object.entries(pages)) this.pages.set(key, page);
  }

  of(id) {
    return this.pages.get(this.key(id)) ?? null;
  }

  // The row on screen first, then those that follow it.
  wanted(day) {
    const list = day.list();
    const at = Math.max(0, list.indexOf(day.leaderOf(day.current, list)));
    const ids = [day.current, ...list.slice(at, at + AHEAD)].filter(Boolean);
    return [...new Set(ids)]
      .map((id) => ({ key: this.key(id), row: id, offset: this.offsets.get(id) ?? 0, ...this.filters }))
      .filter(({ key }) => !this.pages.has(key));
  }

  filter(kind, column, value) {
    this.filters = { ...this.filters, [kind]: [...this.filters[kind].filter(([c, v]) => c !== column || v !== value), [column, value]] };
    this.offsets.clear();
  }

  show(filters) {
    this.filters = filters;
    this.offsets.clear();
  }

  unfilter(kind, column, value) {
    this.filters = { ...this.filters, [kind]: this.filters[kind].filter(([c, v]) => c !== column || v !== value) };
    this.offsets.clear();
  }
}
