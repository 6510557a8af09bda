// the named views and what is on screen → a button with their list: open, copy a link, rename, delete, save.

import { h, keycap, sentence } from "../labelling/nodes.js";
import { filtersOf, filtersText, written } from "./address.js";

export class ViewsView {
  constructor(commands, state) {
    this.commands = commands;
    this.state = state;
    this.button = h("button", { type: "button", class: "quiet", "aria-haspopup": "dialog", onclick: () => this.toggle() });
    this.panel = h("div", { class: "menu views", role: "dialog", hidden: true });
    this.node = h("span", { class: "views-box" }, this.button, this.panel);
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.open && this.toggle());
    this.outside = (event) => this.open && !event.composedPath().includes(this.node) && this.toggle();
    this.renaming = "";
  }

  get open() {
    return !this.panel.hidden;
  }

  toggle() {
    this.panel.hidden = !this.panel.hidden;
    this.renaming = "";
    this.drawn = "";
    const listen = this.open ? "addEventListener" : "removeEventListener";
    setTimeout(() => document[listen]("click", this.outside));
    this.commands.settle();
    const first = this.open ? this.panel.querySelector("[name=view-name]") ?? this.panel.querySelector("button") : null; // V, a name, Enter
    (first ?? this.button).focus();
  }

  draw(data) {
    const present = JSON.stringify(clean(this.state()));
    const state = JSON.stringify([data.views, data.lang, data.may_write, this.renaming, this.open, present]);
    if (state === this.drawn) return;
    this.drawn = state;
    const word = (key, values) => sentence(data, key, values);
    const here = data.views.find((view) => JSON.stringify(clean(view.state)) === present);
    this.button.replaceChildren(keycap("V") ?? "", here?.name ?? word("views.title"));
    this.button.setAttribute("aria-expanded", String(this.open));
    this.panel.setAttribute("aria-label", word("views.title"));
    if (!this.open) return;
    const typed = this.panel.querySelector("[name=view-name]")?.value ?? "";
    const focused = this.panel.getRootNode().activeElement?.name;
    this.panel.replaceChildren(
      data.views.length ? h("ul", {}, data.views.map((view) => this.line(view, data, word))) : h("p", { class: "faint" }, word("views.none")),
      data.may_write ? this.form(typed, word) : "",
    );
    if (focused) this.panel.querySelector(`[name="${focused}"]`)?.focus();
  }

  line(view, data, word) {
    if (this.renaming === view.id) return h("li", {}, this.nameField(view, word));
    const small = (name, run, text) => h("button", { type: "button", class: "quiet", name: `${name}-${view.id}`, title: word(`views.${name}`), "aria-label": `${word(`views.${name}`)}: ${view.name}`, onclick: run }, text);
    const change = [
      small("rename", () => this.rename(view.id), "✎"),
      small("delete", () => this.commands.changeView("view.delete", { id: view.id }), "✕"),
    ];
    return h(
      "li",
      {},
      h("button", { type: "button", class: "open", name: `open-${view.id}`, onclick: () => (this.toggle(), this.commands.openView(view.state)) }, view.name),
      h("span", { class: "faint" }, view.own ? (view.shared ? word("views.shared") : "") : word("views.of", { who: view.by })),
      small("link", (event) => this.copy(view, event.currentTarget), word("views.address")),
      view.own && data.may_write ? change : null,
    );
  }

  rename(id) {
    this.renaming = id;
    this.commands.settle();
    this.panel.querySelector("[name=new-name]")?.select();
  }

  nameField(view, word) {
    const field = h("input", { name: "new-name", value: view.name, maxlength: "80", "aria-label": word("views.rename") });
    const form = h("form", {}, field, h("button", { class: "quiet" }, word("views.save")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.renaming = "";
      this.commands.changeView("view.rename", { id: view.id, name: field.value });
    });
    return form;
  }

  form(typed, word) {
    const name = h("input", { name: "view-name", value: typed, maxlength: "80", autocomplete: "off", placeholder: word("views.name"), "aria-label": word("views.name") });
    const shared = h("input", { type: "checkbox", name: "view-shared" });
    const form = h("form", {}, name, h("button", { class: "quiet", name: "view-save" }, word("views.save")), h("label", {}, shared, word("views.share")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!name.value.trim()) return name.focus();
      this.commands.changeView("view.save", { name: name.value, shared: shared.checked, state: this.state() });
      name.value = "";
      return undefined;
    });
    return form;
  }

  copy(view, button) {
    const usual = { role: "", q: "", events: "", queue: "", day: "", row: "" };
    const address = new URL(written(location.href, { ...usual, ...view.state }));
    for (const own of ["by", "lang"]) address.searchParams.delete(own); // whoever opens it is somebody else
    navigator.clipboard?.writeText(address.href).then(() => (button.textContent = "✓"));
  }

  close() {
    document.removeEventListener("click", this.outside);
  }
}

// The same view is the same text, whatever was left out.
function clean({ role = "", q = "", events = "", queue = "" }) {
  return { role, q, events: filtersText(filtersOf(events)), queue };
}
