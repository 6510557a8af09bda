// the row on screen → the right side: who it is, verdict keys, each reason with its bar and both ranges, strips, events.

import { arrange, h, keycap, Parts, sentence } from "../labelling/nodes.js";
import { LETTER } from "../labelling/event_view.js";
import { KEYS } from "../labelling/key_map.js";
import { dots } from "./list_view.js";
import { EventsView } from "./events_view.js";
import { dayStrip, hourStrip } from "./strips.js";

const OFFERED = ["malicious", "benign", "false_alarm", "unsure", "skip"];

export class DetailView {
  constructor(commands) {
    this.commands = commands;
    this.events = new EventsView(commands);
    this.node = h("article", { class: "detail", tabindex: "-1", onfocusout: () => setTimeout(() => commands.settle()) });
    this.shown = null;
    this.whole = false; // whether reasons and events are drawn: a verdict waits for them
    this.parts = new Parts();
  }

  draw(day, data, events) {
    const row = day.rows.get(day.current);
    const page = row ? events.of(row.id) : null;
    this.whole = Boolean(row && page);
    this.shown = row?.id ?? null;
    this.word = (key, values) => sentence(data, key, values);
    this.parts.begin(JSON.stringify([this.shown, data.lang, data.may_write]));
    if (!row) {
      delete this.node.dataset.rowId;
      const nothing = () => h("div", { class: "nothing" }, h("p", {}, this.word("empty.no_row")));
      arrange(this.node, [this.parts.get("nothing", "", nothing)]);
      return;
    }
    this.node.dataset.rowId = row.id;
    const { parts } = this;
    const judged = row.reasons.map((reason) => day.reasons.get(`${row.id} ${reason.family}`));
    const body = parts.get("body", "", () => h("div", { class: "body" }));
    arrange(body, [
      parts.get("reasons", [row.reasons, judged, day.reason], () => this.reasons(row, day)),
      parts.get("strips", [row.strip, page?.hours], () => this.strips(row, data, page)),
      parts.get("events", [page, events.filters], () => this.events.draw(page, events, this.word, data)),
    ]);
    const writing = data.may_write ? [this.verdicts(row, day), this.annotated(row, day, data)] : [];
    arrange(this.node, [parts.get("head", row, () => this.head(row)), ...writing, body]);
  }

  verdicts(row, day) {
    const verdict = day.verdicts.get(row.id);
    const together = day.together(row.id).length;
    return this.parts.get("verdicts", [verdict, day.reason, together], () => this.bar(verdict, day, together));
  }

  // An answer of the server must not take the cursor out of the note.
  annotated(row, day, data) {
    const before = this.parts.kept("annotation");
    if (before?.querySelector(":focus")) return before;
    const shows = [row.case_link, row.rule_link, day.drafts.of(row.id), data.reasons];
    return this.parts.get("annotation", shows, () => this.annotation(row, day, data));
  }

  head(row) {
    const { word } = this;
    const facts = [row.role_text, row.peer_group, row.owner ? word("owner", { owner: row.owner }) : "", row.watched ? word("watched") : "", row.cause, word("first_day", { day: row.first_day })];
    return h(
      "header",
      {},
      h(
        "div",
        { class: "facts" },
        h("a", { class: "entity", href: row.link, title: word("entity.open") }, row.entity),
        facts.filter(Boolean).map((fact) => h("span", {}, fact)),
        row.before ? h("span", { class: "before" }, row.before) : null,
        row.case ? h("a", { class: "case", href: row.in_case_link }, word("case.in", { id: row.case })) : null,
      ),
      h("h2", { class: "headline" }, row.line),
      h("p", { class: "rarity" }, dots(row), " ", row.rarity),
      row.opinions ? h("p", { class: "differ" }, row.opinions) : null,
    );
  }

  // The button is drawn anew with the next row: a key held on it goes no further.
  clicked(verdict, event) {
    this.commands.say(verdict, event.timeStamp);
    if (!event.detail) this.node.focus({ preventScroll: true });
  }

  bar(verdict, day, together) {
    const { word } = this;
    const button = (name) =>
      h(
        "button",
        {
          type: "button",
          tabindex: KEYS.off ? "0" : "-1", // where letters are keys, no Space and no Enter is a verdict
          class: `say ${name}`,
          "aria-keyshortcuts": KEYS.written(LETTER[name]),
          "aria-pressed": String(verdict?.verdict === name),
          "aria-label": word(`verdict.${name}`),
          title: word(`verdict_about.${name}`),
          onmousedown: (event) => event.preventDefault(),
          onclick: (event) => KEYS.isClick(event) && this.clicked(name, event),
        },
        keycap(LETTER[name]),
        h("span", {}, word(`verdict_button.${name}`)),
      );
    const about = day.reason ? word("judged.title") : together > 1 ? word("group.whole", { n: together - 1 }) : "";
    return h(
      "div",
      { class: `verdicts${day.reason ? " alone" : ""}`, role: "group", "aria-label": word("verdicts.title") },
      OFFERED.map(button),
      about ? h("span", { class: "about" }, about) : null,
    );
  }

  annotation(row, day, data) {
    const { word } = this;
    const draft = day.drafts.of(row.id);
    this.note = h("textarea", {
      name: "note", rows: "1", maxlength: "2000", placeholder: word("note.placeholder"), "aria-label": word("note.title"),
      oninput: (event) => day.drafts.put(row.id, { note: event.target.value }),
      onkeydown: (event) => event.key === "Escape" && event.target.blur(),
    });
    this.note.value = draft.note;
    const reason = h(
      "select",
      { name: "reason", "aria-label": word("reason.title"), onchange: (event) => (day.drafts.put(row.id, { reason: event.target.value }), event.target.blur()) },
      h("option", { value: "" }, word("reason.title")),
      data.reasons.map(({ value, text }) => h("option", { value, selected: draft.reason === value }, text)),
    );
    const button = (key, run) => h("button", { type: "button", class: "quiet", onclick: run, onmousedown: (event) => event.preventDefault() }, key);
    return h(
      "div",
      { class: "annotation" },
      reason,
      this.note,
      button(word("case.add"), () => this.commands.link(row.case_link)),
      button(word("rule.make"), () => this.commands.link(row.rule_link)),
    );
  }

  reasons(row, day) {
    const { word } = this;
    const line = (reason) => {
      const judged = day.reasons.get(`${row.id} ${reason.family}`);
      const chosen = day.reason === reason.family;
      return h(
        "li",
        { class: `reason${chosen ? " chosen" : ""}${reason.note ? " weak" : ""}`, "aria-current": chosen ? "true" : null, onclick: () => this.commands.choose(reason.family), title: word("judged.button") },
        KEYS.off ? h("button", { type: "button", class: "quiet family" }, reason.family_text) : h("span", { class: "family" }, reason.family_text),
        h(
          "span",
          { class: "told" },
          h("span", { class: "short" }, reason.short),
          h("span", { class: "usual" }, [reason.usual, reason.note].filter(Boolean).join(" · ")),
        ),
        h("span", { class: "bar", "aria-hidden": "true" }, h("span", { style: `width:${Math.max(3, Math.round(100 * reason.share))}%` })),
        h("span", { class: "share" }, reason.share_text),
        judged ? h("span", { class: `verdict ${judged}` }, word(`verdict.${judged}`)) : h("span", { class: "hint" }, chosen ? ["M", "B", "F"].map(keycap) : ""),
      );
    };
    return h("section", {}, h("h3", {}, word("why.title")), h("ol", { class: "reasons" }, row.reasons.map(line)));
  }

  strips(row, data, page) {
    const { word } = this;
    return h(
      "section",
      { class: "strips" },
      h("figure", {}, h("figcaption", {}, word("strip.day")), page ? hourStrip(page.hours, data) : h("p", { class: "loading" }, "…")),
      h("figure", {}, h("figcaption", {}, word("strip.days")), row.strip.length > 1 ? dayStrip(row.strip, (day) => this.commands.day(day)) : h("p", { class: "faint" }, word("strip.none"))),
    );
  }
}
