// what was just said, what is not saved and what the labels changed → one calm line above everything; its keys.

import { LETTER, VERDICTS } from "./event_view.js";
import { KEYS } from "./key_map.js";
import { h, keycap, put, sentence } from "./nodes.js";

export class StripView {
  constructor(commands) {
    this.commands = commands;
    this.unsaved = h("span", { class: "unsaved", role: "status", "aria-live": "polite" });
    this.said = h("span", { class: "last", role: "status", "aria-live": "polite" });
    this.effect = h("span", { class: "effect" });
    this.totals = h("span", { class: "totals" });
    this.buttons = h("span", { class: "tools" });
    this.batch = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => commands.undo() });
    this.node = h("div", { class: "strip" }, this.unsaved, this.said, this.batch, this.effect, this.totals, this.buttons);
  }

  flash() {
    for (const animation of this.said.getAnimations()) animation.cancel();
    this.said.animate([{ opacity: 0.2 }, { opacity: 1 }], { duration: 300 });
  }

  draw(desk, data) {
    const word = (key, values) => sentence(data, key, values);
    const n = desk.outbox.messages.size;
    const told = [
      n ? word("unsaved", { n }) : "",
      desk.outbox.away ? word("unsaved.away") : "",
      n && !desk.outbox.durable ? word("unsaved.not_durable") : "",
    ].filter(Boolean);
    this.unsaved.hidden = !told.length;
    put(this.unsaved, told.join(" · "));
    this.unsaved.classList.toggle("away", desk.outbox.away);
    const { said } = desk;
    const whom = said ? (desk.items.get(said.row_id)?.entity ?? "") : "";
    const verdict = said?.verdict ? word(`verdict.${said.verdict}`) : "";
    const done = said ? word(`said.${said.kind}`, { verdict, whom, n: said.n }) : "";
    put(this.said, desk.tooFast ? word("said.too_fast") : done);
    this.said.classList.toggle("too-fast", desk.tooFast);
    this.batch.hidden = said?.kind !== "propagate";
    put(this.batch, word("similar.undo"));
    put(this.effect, data.effect);
    this.effect.title = word("effect.title");
    put(this.totals, word("totals", { n: data.totals.labelled }));
    const tool = (letter, key, run) =>
      h(
        "button",
        { type: "button", class: "quiet", "aria-keyshortcuts": KEYS.written(letter), onclick: run, onmousedown: (e) => e.preventDefault() },
        keycap(letter),
        word(key),
      );
    if (this.lang === data.lang && this.writes === data.may_write) return;
    this.lang = data.lang;
    this.writes = data.may_write;
    this.buttons.replaceChildren(
      ...(data.may_write ? [tool("Z", "tool.undo", () => this.commands.undo()), tool("P", "similar.tool", () => this.commands.similar())] : []),
      tool("H", "tool.help", () => this.commands.help()),
    );
  }
}

export function helpLines(data, word) {
  const writes = [
    ...VERDICTS.map((verdict) => [LETTER[verdict], word(`verdict_button.${verdict}`), word(`verdict_about.${verdict}`)]),
    ["Z", word("tool.undo"), word("help.undo")],
    ["P", word("similar.tool"), word("help.similar")],
    ["N", word("note.title"), word("help.note")],
  ];
  return [
    ...(data.may_write ? writes : []),
    ["/", word("help.filter"), word("help.filter_about")],
    ["J K", word("help.move"), word("help.move_about")],
    ["W", word("why.title"), word("help.fold")],
    ["E", word("help.raw"), word("help.fold")],
    ["H", word("tool.help"), word("help.help")],
  ];
}
