// the event on screen → the right side: headline, verdict keys, why, what would make it normal, the record.

import { KEYS } from "./key_map.js";
import { arrange, h, keycap, Parts, sentence } from "./nodes.js";
import { mark } from "./queue_view.js";

export const VERDICTS = ["malicious", "benign", "false_alarm", "unsure", "skip"];
export const LETTER = { malicious: "M", benign: "B", false_alarm: "F", unsure: "U", skip: "S" };

export class EventView {
  constructor(commands) {
    this.commands = commands;
    // What came while the note was typed into is drawn once the cursor has left it.
    this.node = h("article", { class: "event", tabindex: "-1", onfocusout: () => setTimeout(() => commands.settle()) });
    this.shown = null;
    this.whole = false; // whether headline, reasons and records are all drawn
    this.parts = new Parts();
    this.open = { why: true, raw: true };
  }

  draw(desk, data) {
    const id = desk.current;
    const item = id ? desk.items.get(id) : null;
    this.word = (key, values) => sentence(data, key, values);
    this.shown = id;
    this.whole = desk.isWhole(id);
    this.parts.begin(JSON.stringify([item && id, data.lang, data.may_write]));
    if (!item) return this.drawNothing(desk, data);
    const evidence = desk.evidence.get(id);
    const given = desk.isOpen(id) ? null : desk.given.get(id);
    const labels = desk.labels[id] ?? [];
    const held = data.held[id];
    const { open, parts } = this;
    this.node.dataset.rowId = id;
    const body = parts.get("body", "", () => h("div", { class: "body" }));
    arrange(body, [
      parts.get("left", [item, evidence?.normal, labels, open.why], () => this.left(item, evidence, labels)),
      parts.get("right", [Boolean(evidence?.raw), open.raw], () => this.right(evidence)),
    ]);
    const writing = data.may_write ? [parts.get("verdicts", given, () => this.verdictBar(given)), this.annotated(desk, data, given)] : [];
    arrange(this.node, [parts.get("head", [item, given, held], () => this.head(item, given, held)), ...writing, body]);
    return undefined;
  }

  // An answer of the server must not take the cursor out of the note.
  annotated(desk, data, given) {
    const before = this.parts.kept("annotation");
    if (before?.querySelector(":focus")) return before;
    const shows = [given, desk.draft(), data.families, data.reasons];
    return this.parts.get("annotation", shows, () => this.annotation(desk, data, given));
  }

  drawNothing(desk, data) {
    delete this.node.dataset.rowId;
    const waiting = desk.outbox.messages.size > 0;
    const why = waiting ? "nothing.waiting" : data.totals.rows ? "nothing" : "no_rows";
    const nothing = () =>
      h(
        "div",
        { class: "nothing" },
        h("h2", {}, this.word(waiting ? why : `${why}.title`)),
        h("p", {}, this.word(waiting ? `${why}_about` : `${why}.about`, { n: data.totals.labelled })),
      );
    arrange(this.node, [this.parts.get("nothing", [why, data.totals.labelled], nothing)]);
  }

  head(item, given, held) {
    const { word } = this;
    return h(
      "header",
      {},
      h(
        "div",
        { class: "facts" },
        h("span", { class: "position" }, word("event.position", { n: item.rank })),
        h("span", { class: "entity" }, item.entity),
        h("span", {}, item.time),
        h("span", { class: "percentile" }, word("event.percentile", { value: item.percentile })),
        given ? h("span", { class: "given" }, mark(given, word)) : null,
      ),
      h("h2", { class: "headline" }, item.headline),
      held ? h("p", { class: "held", role: "note" }, held) : null,
    );
  }

  // The button is drawn anew with the next event: a key held on it goes no further.
  clicked(verdict, event) {
    this.commands.say(verdict, event.timeStamp);
    if (!event.detail) this.node.focus({ preventScroll: true });
  }

  verdictBar(given) {
    const { word } = this;
    const button = (verdict) =>
      h(
        "button",
        {
          type: "button",
          tabindex: KEYS.off ? "0" : "-1", // where letters are keys, no Space and no Enter is a verdict
          class: `say ${verdict}`,
          "aria-keyshortcuts": KEYS.written(LETTER[verdict]),
          "aria-pressed": String(given?.verdict === verdict),
          "aria-label": word(`verdict.${verdict}`),
          title: word(`verdict_about.${verdict}`),
          onmousedown: (event) => event.preventDefault(),
          onclick: (event) => KEYS.isClick(event) && this.clicked(verdict, event),
        },
        keycap(LETTER[verdict]),
        h("span", {}, word(`verdict_button.${verdict}`)),
      );
    return h("div", { class: "verdicts", role: "group", "aria-label": word("verdicts.title") }, VERDICTS.map(button));
  }

  annotation(desk, data, given) {
    const { word } = this;
    const draft = desk.draft();
    const changed = (change) => {
      desk.setDraft(change);
      if (given) save.hidden = false;
    };
    const picker = (name, choices, about) =>
      h(
        "label",
        { class: "picker" },
        h("span", {}, about),
        h(
          "select",
          { name, onchange: (event) => (changed({ [name]: event.target.value }), event.target.blur()) },
          h("option", { value: "" }, word("picker.none")),
          choices.map(({ value, text }) => h("option", { value, selected: draft[name] === value }, text)),
        ),
      );
    this.note = h("textarea", {
      name: "note",
      rows: "1",
      maxlength: "2000",
      placeholder: word("note.placeholder"),
      "aria-label": word("note.title"),
      oninput: (event) => changed({ note: event.target.value }),
      onkeydown: (event) => event.key === "Escape" && (event.target.blur(), this.node.focus({ preventScroll: true })),
    });
    this.note.value = draft.note ?? "";
    const save = h(
      "button",
      { type: "button", class: "quiet", hidden: true, onclick: (event) => this.commands.say(given.verdict, event.timeStamp) },
      word("note.save"),
    );
    save.hidden = !(given && desk.drafts.has(desk.current));
    return h(
      "div",
      { class: "annotation" },
      picker("reason", data.reasons, word("reason.title")),
      picker("family", data.families, word("family.title")),
      h("label", { class: "note" }, h("span", {}, word("note.title"), " ", keycap("N")), this.note),
      save,
    );
  }

  normal(evidence) {
    const lines = evidence?.normal;
    if (lines && !lines.length) return null;
    return h(
      "section",
      { class: "normal" },
      h("h3", {}, this.word("normal.title")),
      lines
        ? h("ul", {}, lines.map((line) => h("li", {}, line)))
        : h("p", { class: "loading" }, this.word("normal.pending")),
    );
  }

  left(item, evidence, labels) {
    const { word } = this;
    return h(
      "div",
      { class: "column" },
      this.section("why", "W", word("why.title"), () => whyTable(item, word)),
      this.normal(evidence),
      labels.length
        ? h(
            "section",
            { class: "labels" },
            h("h3", {}, word("labels.title")),
            h("ul", {}, labels.map((label) => labelLine(label, word))),
          )
        : null,
    );
  }

  right(evidence) {
    const { word } = this;
    if (!evidence?.raw) return h("div", { class: "column" }, h("p", { class: "loading" }, word("evidence.loading")));
    return h(
      "div",
      { class: "column" },
      this.section("raw", "E", word("raw.title", { n: evidence.raw.length }), () => records(evidence.raw, word)),
      h(
        "section",
        { class: "related" },
        h("h3", {}, word("related.title")),
        evidence.related.length ? related(evidence, word) : h("p", { class: "faint" }, word("related.none")),
      ),
      evidence.error ? h("p", { class: "faint", role: "note" }, evidence.error) : null,
    );
  }

  section(name, letter, title, content) {
    const open = this.open[name];
    return h(
      "section",
      { class: name },
      h(
        "h3",
        {},
        h(
          "button",
          {
            type: "button",
            class: "fold",
            "aria-expanded": String(open),
            "aria-keyshortcuts": KEYS.written(letter),
            onclick: () => this.commands.fold(name),
          },
          h("span", { class: "arrow", "aria-hidden": "true" }, open ? "▾" : "▸"),
          title,
          " ",
          keycap(letter),
        ),
      ),
      open ? content() : null,
    );
  }
}

function whyTable({ why: rows, estimated }, word) {
  if (!rows.length) return h("p", { class: "faint" }, word("why.none"));
  const head = ["what", "value", "usual_entity", "usual_everyone", "place", "peers", "share"];
  const table = h(
    "table",
    {},
    h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col", class: name }, word(`why.${name}`))))),
    h(
      "tbody",
      {},
      rows.map((row) =>
        h(
          "tr",
          { class: row.share < 0 ? "away" : "" },
          h("th", { scope: "row" }, row.label),
          h("td", { class: "value" }, row.value),
          h("td", {}, row.usual_entity),
          h("td", {}, row.usual_everyone),
          h("td", { class: "short" }, row.place),
          h("td", { class: "short" }, row.peers),
          h("td", { class: "share" }, bar(row.share), h("span", {}, row.share_text), stated(row.error_text)),
        ),
      ),
    ),
  );
  return [h("div", { class: "scroll" }, table), estimated ? h("p", { class: "faint estimated", role: "note" }, estimated) : null];
}

function stated(error) {
  return error ? h("span", { class: "error" }, ` ${error}`) : null;
}

function bar(share) {
  const width = Math.max(2, Math.min(100, Math.abs(share) * 100));
  return h("span", { class: "bar", "aria-hidden": "true" }, h("span", { style: `width:${width.toFixed(1)}%` }));
}

function records(raw, word) {
  if (!raw.length) return h("p", { class: "faint" }, word("raw.none"));
  return raw.map((record) =>
    h("figure", {}, h("figcaption", {}, record.where), h("pre", { tabindex: "0" }, h("code", {}, record.text))),
  );
}

function related({ related: rows, related_columns: columns }, word) {
  return h(
    "div",
    { class: "scroll" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, word(`related.${name}`))))),
      h(
        "tbody",
        {},
        rows.map((row) =>
          h("tr", { class: row.here ? "here" : "" }, row.cells.map((cell) => h("td", {}, cell))),
        ),
      ),
    ),
  );
}

function labelLine(label, word) {
  return h(
    "li",
    {},
    h("span", { class: `verdict ${label.verdict}` }, word(`verdict.${label.verdict}`)),
    h("span", {}, ` ${label.line}`),
    label.more ? h("span", { class: "faint" }, ` — ${label.more}`) : null,
  );
}
