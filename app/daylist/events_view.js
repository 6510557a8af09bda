// one page of events → a table of named fields; each value can be looked for, left out or copied.

import { h } from "../labelling/nodes.js";

export class EventsView {
  constructor(commands) {
    this.commands = commands;
  }

  draw(page, asked, word, data) {
    const chips = [
      ...asked.filters.only.map((pair) => this.chip("only", pair, word, data)),
      ...asked.filters.exclude.map((pair) => this.chip("exclude", pair, word, data)),
    ];
    const head = h("h3", {}, word("events.title"));
    if (!page) return h("section", { class: "events" }, head, h("p", { class: "loading" }, word("events.loading")));
    const last = Math.min(page.total, page.offset + page.rows.length);
    const counted = page.total ? word("events.shown", { first: data.numbers(page.offset + 1), last: data.numbers(last), n: data.numbers(page.total) }) : "";
    const turn = (key, offset, on) => h("button", { type: "button", class: "quiet", disabled: !on, onclick: () => this.commands.turn(offset) }, word(key));
    return h(
      "section",
      { class: "events" },
      h(
        "div",
        { class: "events-head" },
        head,
        h("span", { class: "faint" }, counted),
        chips,
        h("span", { class: "stretch" }),
        page.total > page.rows.length ? [turn("events.less", page.offset - page.size, page.offset > 0), turn("events.more", page.offset + page.size, last < page.total)] : null,
        page.rows.length ? h("button", { type: "button", class: "quiet copy", onclick: (event) => this.copy(page, event.currentTarget, word) }, word("events.copy")) : null,
      ),
      page.error ? h("p", { class: "faint" }, page.error) : null,
      !page.total && !page.error ? h("p", { class: "faint" }, word("events.none")) : null,
      page.rows.length ? this.table(page, word) : null,
    );
  }

  chip(kind, [column, value], word, data) {
    return h(
      "button",
      { type: "button", class: `chip ${kind}`, title: word(`events.${kind}`), onclick: () => this.commands.unfilter(kind, column, value) },
      `${kind === "only" ? "" : "≠ "}${data.columns[column] ?? column}: ${value} ✕`,
    );
  }

  table(page, word) {
    const cell = (value, i) => {
      const column = page.columns[i];
      if (!value || column === "time") return h("td", {}, value);
      return h("td", {}, h("button", { type: "button", class: "value", tabindex: "-1", onfocus: (event) => this.rove(event.currentTarget), onclick: (event) => this.menu(event.currentTarget, column, page.keys[i], value, word) }, value));
    };
    const table = h(
      "div",
      { class: "scroll", role: "region", tabindex: "0", "aria-label": word("events.title"), "data-arrows": true, onkeydown: (event) => this.step(event) },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, page.titles.map((title) => h("th", { scope: "col" }, title)))),
        h("tbody", {}, page.rows.map((row) => h("tr", { title: row.where }, row.cells.map(cell)))),
      ),
    );
    table.querySelector(".value")?.setAttribute("tabindex", "0");
    return table;
  }

  // One value at a time can be reached with Tab; arrows go from it to those beside it, and past those that are empty.
  step(event) {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const cell = event.target.closest("td");
    if (!step || !cell || event.target.closest(".menu")) return;
    event.preventDefault();
    const rows = [...cell.closest("tbody").rows];
    let [row, column] = [rows.indexOf(cell.parentElement), cell.cellIndex];
    for (;;) {
      [row, column] = [row + step[0], column + step[1]];
      const next = rows[row]?.cells[column];
      if (!next) return;
      const value = next.querySelector(".value");
      if (value) return void value.focus();
    }
  }

  rove(value) {
    for (const other of value.closest("tbody").querySelectorAll(".value[tabindex='0']")) other.setAttribute("tabindex", "-1");
    value.setAttribute("tabindex", "0");
  }

  // A small menu under the value: only these, all but these, its page, copy.
  menu(at, column, key, value, word) {
    this.closeMenu();
    const item = (text, run) => h("button", { type: "button", role: "menuitem", onclick: () => (this.closeMenu(), run()) }, text);
    this.open = h(
      "div",
      { class: "menu", role: "menu" },
      item(word("events.only"), () => this.commands.filterEvents("only", column, value)),
      item(word("events.exclude"), () => this.commands.filterEvents("exclude", column, value)),
      key ? item(word("entity.open"), () => this.commands.entity(value)) : null,
      item(word("events.copy"), () => navigator.clipboard?.writeText(value)),
    );
    at.parentElement.append(this.open);
    this.open.querySelector("button").focus();
    this.open.addEventListener("keydown", (event) => {
      const items = [...this.open.querySelectorAll("button")];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const next = items.indexOf(event.target) + (step ?? 0);
      if (event.key === "Escape" || event.key === "Tab") (this.closeMenu(), at.focus());
      else if (step) items[(next + items.length) % items.length].focus();
      if (step || event.key === "Tab") event.preventDefault();
    });
    setTimeout(() => document.addEventListener("click", () => this.closeMenu(), { once: true }));
  }

  closeMenu() {
    this.open?.remove();
    this.open = null;
  }

  copy(page, button, word) {
    const lines = [page.titles, ...page.rows.map((row) => row.cells)].map((cells) => cells.join("\t"));
    navigator.clipboard?.writeText(lines.join("\n")).then(() => (button.textContent = word("events.copied")));
  }
}
