// the day, its tabs and the filter → the line above the list; what was said last and what it changes → the line below.

import { arrange, h, keycap, Parts, put, sentence } from "../labelling/nodes.js";
import { LETTER, VERDICTS } from "../labelling/event_view.js";
import { KEYS } from "../labelling/key_map.js";
import { ROLES } from "./day.js";

export class TopView {
  constructor(commands, views) {
    this.commands = commands;
    this.parts = new Parts();
    this.date = h("span", { class: "date" });
    this.back = h("button", { type: "button", class: "quiet step", onclick: () => commands.day(this.before) }, "‹");
    this.on = h("button", { type: "button", class: "quiet step", onclick: () => commands.day(this.after) }, "›");
    this.tabs = h("div", { class: "tabs", role: "tablist" });
    this.counts = h("span", { class: "counts" });
    this.queue = h("select", { class: "queue-choice", onchange: (event) => (commands.queue(event.target.value), event.target.blur()) });
    this.slash = h("span", {});
    this.input = h("input", {
      type: "search", class: "filter", autocomplete: "off", spellcheck: "false",
      oninput: (event) => commands.filter(event.target.value),
      onkeydown: (event) => {
        if (event.key === "Escape" && event.target.value) commands.filter((event.target.value = ""));
        else if (event.key === "Escape" || event.key === "Enter") event.target.blur();
      },
    });
    this.node = h("div", { class: "top" }, h("span", { class: "days" }, this.back, this.date, this.on), this.tabs, this.queue, this.counts, views, h("label", { class: "filter-box" }, this.slash, this.input));
    this.unsaved = h("span", { class: "unsaved", hidden: true, role: "status" });
    this.last = h("span", { class: "last", role: "status" });
    this.effect = h("span", { class: "effect" });
    this.tools = h("span", { class: "tools" });
    this.foot = h("div", { class: "foot" }, this.unsaved, this.last, this.effect, this.tools);
  }

  draw(day, data) {
    const word = (key, values) => sentence(data, key, values);
    const at = data.days.findIndex((one) => one.day === day.day);
    this.before = data.days[at - 1]?.day;
    this.after = data.days[at + 1]?.day;
    put(this.date, data.days[at]?.text ?? "");
    for (const [button, to, key] of [[this.back, this.before, "previous"], [this.on, this.after, "next"]]) {
      button.disabled = !to;
      button.title = word(key);
      button.setAttribute("aria-label", word(key));
    }
    this.drawQueues(data, word);
    this.parts.begin(data.lang);
    arrange(this.tabs, ROLES.map((role) => this.tab(role, day, word)));
    put(this.counts, [data.of_all ? word("counts", { n: data.rows.length, all: data.numbers(data.of_all) }) : "", data.new ? word("new", { n: data.new }) : "", data.false_expected].filter(Boolean).join(" · "));
    this.counts.title = [this.counts.textContent, data.new ? word("new.about") : "", data.false_expected ? word("false_expected.about") : ""].filter(Boolean).join("\n");
    if (this.input.value !== day.filter) this.input.value = day.filter;
    this.input.placeholder = word("filter.placeholder");
    this.input.setAttribute("aria-label", word("filter.title"));
    this.drawFoot(day, data, word);
  }

  drawQueues(data, word) {
    const state = `${data.lang} ${data.queue}`;
    if (state === this.queues) return;
    this.queues = state;
    this.queue.setAttribute("aria-label", word("queue.title"));
    this.queue.title = word(`queue.about.${data.queue}`);
    this.queue.replaceChildren(...data.queues.map(({ value, text }) => h("option", { value, selected: value === data.queue }, text)));
  }

  tab(role, day, word) {
    const n = [...day.rows.values()].filter((row) => day.fitsRole(row, role)).length;
    const chosen = day.role === role;
    const button = () => h("button", { type: "button", role: "tab", "aria-selected": String(chosen), disabled: !n && role !== "all", onclick: () => this.commands.role(role) }, word(`roles.${role}`), h("span", { class: "n" }, String(n)));
    return this.parts.get(role, [n, chosen], button);
  }

  drawFoot(day, data, word) {
    const n = day.outbox.messages.size;
    const told = [n ? word("unsaved", { n }) : "", day.outbox.away ? word("unsaved.away") : "", n && !day.outbox.durable ? word("unsaved.not_durable") : ""].filter(Boolean);
    this.unsaved.hidden = !told.length;
    put(this.unsaved, told.join(" · "));
    this.unsaved.classList.toggle("away", day.outbox.away);
    const { said } = day;
    const whom = said ? (day.rows.get(said.id)?.entity ?? "") : "";
    const many = said?.n > 1 ? ` + ${said.n - 1}` : "";
    const done = said ? word(said.kind === "undo" ? "said.undo" : "said.label", { verdict: word(`verdict.${said.verdict}`), whom: whom + many }) : "";
    put(this.last, day.tooFast ? word("said.too_fast") : done);
    this.last.classList.toggle("too-fast", day.tooFast);
    const effect = said?.kind === "verdict" ? data.effects[said.client_id] : "";
    put(this.effect, effect && !day.tooFast ? `${effect}${KEYS.off ? "" : ` ${word("effect.undo", { key: KEYS.written("Z") })}`}` : said ? "" : data.note);
    this.effect.title = this.effect.textContent;
    if (this.lang === data.lang && this.writes === data.may_write) return;
    this.lang = data.lang;
    this.writes = data.may_write;
    const tool = (key, text, run) => h("button", { type: "button", class: "quiet", "aria-keyshortcuts": KEYS.written(key), onclick: run, onmousedown: (event) => event.preventDefault() }, keycap(key), text);
    this.tools.replaceChildren(h("span", { class: "faint zone" }, word("zone")), ...(data.may_write ? [tool("Z", word("tool.undo"), () => this.commands.undo())] : []), tool("?", word("tool.help"), () => this.commands.help()));
    this.slash.replaceChildren(keycap("/") ?? "");
  }

  flash() {
    this.last.animate([{ opacity: 0.2 }, { opacity: 1 }], { duration: 300 });
  }
}

export function helpLines(data, word) {
  return [
    ...(data.may_write ? VERDICTS.map((verdict) => [LETTER[verdict], word(`verdict_button.${verdict}`), word(`verdict_about.${verdict}`)]) : []),
    ...(data.may_write ? [["Z", word("tool.undo"), word("help.undo")]] : []),
    ["J K", word("help.move"), ""],
    ["→ ←", word("help.open"), ""],
    ["R", word("help.reason"), ""],
    ["⇧← ⇧→", word("help.days"), ""],
    ["/", word("help.filter"), ""],
    ["V", word("views.title"), ""],
    ...(data.may_write ? [["N", word("note.title"), word("help.note")]] : []),
    ["X", word("case.add"), ""],
    ["G", word("help.go"), ""],
    ["H ?", word("tool.help"), word("help.help")],
  ];
}
