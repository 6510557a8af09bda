// the events that are like the one just labelled → a preview of the nearest and the furthest, and one button.

import { h, keycap, sentence } from "./nodes.js";

const REACH = { from: 50, to: 100, step: 5, start: 70 }; // percent of the trees in which both fall into the same leaf

export class SimilarView {
  constructor(commands) {
    this.commands = commands;
    this.query = null;
    this.drawn = "";
    this.node = h("div", { class: "veil", hidden: true });
    this.node.addEventListener("click", (event) => event.target === this.node && commands.close());
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && commands.close());
  }

  get open() {
    return Boolean(this.query);
  }

  show(label) {
    this.query = { row_id: label.row_id, at_least: REACH.start, same_entity: false };
    this.label = label;
    this.answer = null;
  }

  hide() {
    this.query = null;
    this.answer = null;
  }

  // Names the preview that is drawn in full; null while a line of it is missing.
  get whole() {
    return this.open && !this.waiting() ? this.drawn : null;
  }

  // Whether Python has yet to answer what is asked now, or to explain a line of it.
  waiting() {
    const lines = [...(this.answer?.nearest ?? []), ...(this.answer?.furthest ?? [])];
    return this.open && (!this.answer || lines.some((line) => line.pending));
  }

  draw(desk, data) {
    const said = data.similar;
    if (this.open && said && JSON.stringify(said.query) === JSON.stringify(this.query)) this.answer = said;
    const state = JSON.stringify([this.query, this.answer, data.lang]);
    if (state === this.drawn) return;
    this.drawn = state;
    this.node.hidden = !this.open;
    if (!this.open) return void this.node.replaceChildren();
    const word = (key, values) => sentence(data, key, values);
    const whom = desk.items.get(this.query.row_id)?.entity ?? "";
    const focused = this.node.contains(this.focused()) ? this.focused().name : "";
    this.node.replaceChildren(
      h(
        "div",
        { class: "help similar", role: "dialog", "aria-label": word("similar.title", { whom }) },
        h("h2", {}, word("similar.title", { whom })),
        h("p", { class: "faint" }, word("similar.about", { verdict: word(`verdict.${this.label.verdict}`) })),
        this.choices(word),
        this.preview(word),
        this.buttons(word),
      ),
    );
    (this.node.querySelector(`[name="${focused || "close"}"]`) ?? this.node).focus({ preventScroll: true });
  }

  focused() {
    return this.node.getRootNode().activeElement;
  }

  choices(word) {
    const ask = (change) => {
      this.query = { ...this.query, ...change };
      this.answer = null;
      this.commands.ask();
    };
    return h(
      "div",
      { class: "choices" },
      h(
        "label",
        {},
        `${word("similar.reach")}: ${this.query.at_least} %`,
        h("input", {
          type: "range",
          name: "reach",
          min: REACH.from,
          max: REACH.to,
          step: REACH.step,
          value: this.query.at_least,
          onchange: (event) => ask({ at_least: Number(event.target.value) }),
        }),
      ),
      h(
        "label",
        {},
        h("input", {
          type: "checkbox",
          name: "same_entity",
          checked: this.query.same_entity,
          onchange: (event) => ask({ same_entity: event.target.checked }),
        }),
        word("similar.same_entity"),
      ),
    );
  }

  preview(word) {
    if (!this.answer) return h("p", { class: "loading" }, word("similar.loading"));
    const { row_ids: ids, nearest, furthest, error } = this.answer;
    if (error) return h("p", { class: "faint", role: "note" }, error);
    if (!ids.length) return h("p", {}, word("similar.none"));
    return [
      h("p", { class: "count" }, word("similar.count", { n: ids.length })),
      h("h3", {}, word("similar.nearest")),
      h("ul", {}, nearest.map((row) => likeLine(row, word))),
      furthest.length ? h("h3", {}, word("similar.furthest")) : null,
      h("ul", {}, furthest.map((row) => likeLine(row, word))),
    ];
  }

  buttons(word) {
    const ids = this.answer?.row_ids ?? [];
    const apply = h(
      "button",
      { type: "button", class: "quiet strong", name: "apply", onclick: (event) => this.commands.apply(this.label, ids, event.timeStamp) },
      word("similar.apply", { n: ids.length }),
    );
    return h(
      "div",
      { class: "choices foot" },
      ids.length ? apply : null,
      h(
        "button",
        { type: "button", class: "quiet", name: "close", onclick: () => this.commands.close() },
        keycap("P"),
        word("similar.close"),
      ),
    );
  }
}

function likeLine(row, word) {
  return h(
    "li",
    {},
    h("span", { class: "entity" }, row.entity),
    h("span", { class: "faint" }, ` ${row.time} · ${word("similar.alike", { n: row.alike })}`),
    h("span", { class: "line" }, row.headline),
  );
}
