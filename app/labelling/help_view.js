// the commands of a page → the list of its keys, and the choice of other keys or none.

import { KEYS, MODES } from "./key_map.js";
import { h, keycap, sentence } from "./nodes.js";

export class HelpView {
  // `lines(data, word)` returns [keys, name, about] for each command; `close` leaves, `changed` draws the page anew.
  constructor({ lines, close, changed }) {
    this.lines = lines;
    this.close = close;
    this.changed = changed;
    this.editing = false;
    this.node = h("div", { class: "veil", hidden: true });
    this.node.addEventListener("click", (event) => event.target === this.node && close());
    this.node.addEventListener("keydown", (event) => (event.key === "Escape" ? close() : this.stayInside(event)));
  }

  get open() {
    return !this.node.hidden;
  }

  draw(data, open) {
    this.data = data;
    this.node.hidden = !open;
    if (!open) {
      this.editing = false;
      return;
    }
    const word = (key, values) => sentence(data, key, values);
    const close = h("button", { type: "button", class: "quiet", name: "close", onclick: this.close }, keycap("H"), word("help.close"));
    this.node.replaceChildren(
      h(
        "div",
        { class: "help", role: "dialog", "aria-modal": "true", "aria-label": word("help.title") },
        h("h2", {}, word("help.title")),
        h("dl", {}, this.lines(data, word).map((line) => this.line(line, word))),
        h("p", { class: "faint" }, word("help.rule")),
        this.settings(word),
        close,
      ),
    );
    close.focus({ preventScroll: true });
  }

  line([keys, name, about], word) {
    const key = (one) => (this.editing && /^[A-Z]$/.test(one) ? this.field(one, name, word) : keycap(one));
    return [h("dt", { class: about ? null : "alone" }, keys.split(" ").map(key), name), about ? h("dd", {}, about) : null];
  }

  field(usual, name, word) {
    const typed = (event) => {
      KEYS.change(usual, event.target.value.trim().slice(-1));
      this.redraw(`[name=key-${usual}]`);
    };
    return h("input", { class: "key", name: `key-${usual}`, value: KEYS.letter(usual), autocomplete: "off", "aria-label": word("keys.of", { name, key: usual }), oninput: typed, onfocus: (event) => event.target.select() });
  }

  settings(word) {
    const mode = (one) =>
      h("label", {}, h("input", { type: "radio", name: "mode", value: one, checked: KEYS.mode === one, onchange: () => (KEYS.setMode(one), this.redraw("[name=mode]:checked")) }), word(`keys.${one}`));
    const button = (name, run) => h("button", { type: "button", class: "quiet", name, onclick: () => (run(), this.redraw(`[name=${name}]`)) }, word(`keys.${name}`));
    return h(
      "fieldset",
      { class: "keys" },
      h("legend", {}, word("keys.title")),
      MODES.map(mode),
      h("span", { class: "buttons" }, this.editing ? null : button("change", () => (this.editing = true)), button("reset", () => KEYS.reset())),
      h("p", { class: "faint" }, word(this.editing ? "keys.change_about" : KEYS.off ? "keys.off_about" : "keys.about")),
    );
  }

  // Draws the page and this list with the keys as they are now; the cursor stays in the field it was in.
  redraw(selector) {
    this.changed();
    this.draw(this.data, true);
    (this.node.querySelector(selector) ?? this.node.querySelector("input.key"))?.focus({ preventScroll: true });
  }

  // Tab goes round in the list, which covers the page.
  stayInside(event) {
    if (event.key !== "Tab") return;
    const fields = [...this.node.querySelectorAll("button, input")];
    const at = fields.indexOf(this.node.getRootNode().activeElement);
    event.preventDefault();
    fields[(at + (event.shiftKey ? -1 : 1) + fields.length) % fields.length].focus();
  }
}
