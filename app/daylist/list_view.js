// the day's rows → the list at the left: place, whom, rarity in dots, what it did, what is new and what was said.

import { arrange, h, Parts, sentence } from "../labelling/nodes.js";

const LONGEST_NAMED = 60; // characters of a filter

export class ListView {
  constructor(commands) {
    this.commands = commands;
    this.rows = h("ol", { class: "rows", role: "listbox", tabindex: "0" });
    this.node = h("section", { class: "list" }, this.rows);
    this.parts = new Parts();
    this.rows.addEventListener("click", (event) => {
      const row = event.target.closest("[data-row-id]");
      if (!row) return;
      if (event.target.closest(".fold")) commands.toggle(row.dataset.rowId);
      else commands.select(row.dataset.rowId);
    });
  }

  draw(day, data) {
    const word = (key, values) => sentence(data, key, values);
    this.by = data.by;
    const list = day.list();
    const { scrollTop } = this.rows;
    this.rows.setAttribute("aria-label", word("title"));
    this.parts.begin(data.lang);
    arrange(this.rows, list.length ? list.map((id) => this.row(id, day, list, word)) : [this.empty(day, data, word)]);
    if (day.current) this.rows.setAttribute("aria-activedescendant", `row-${day.leaderOf(day.current, list)}`);
    else this.rows.removeAttribute("aria-activedescendant");
    this.rows.scrollTop = scrollTop;
    if (this.shown !== day.current) this.keepInSight(this.rows.querySelector("[aria-selected=true]"));
    this.shown = day.current;
  }

  row(id, day, list, word) {
    const row = day.rows.get(id);
    const more = day.members(row.group).length - 1;
    const closed = more > 0 && !day.opened.has(row.group);
    const verdict = day.verdicts.get(id);
    const selected = id === day.leaderOf(day.current, list);
    return this.parts.get(id, [row, more, closed, verdict, selected], () => this.drawRow(row, { more, closed, verdict, selected }, word));
  }

  drawRow(row, { more, closed, verdict, selected }, word) {
    const { id } = row;
    return h(
      "li",
      { class: `row${verdict ? " said" : ""}${closed ? " group" : ""}`, role: "option", id: `row-${id}`, "aria-selected": String(selected), "data-row-id": id },
      h("span", { class: "place" }, String(row.place)),
      h(
        "span",
        { class: "what" },
        h(
          "span",
          { class: "who" },
          h("span", { class: "entity" }, row.entity),
          h("span", { class: "role" }, row.role_text),
          row.new ? h("span", { class: "new" }, word("new.mark")) : null,
          verdict ? h("span", { class: `verdict ${verdict.verdict}` }, word(`verdict.${verdict.verdict}`), verdict.pending ? h("span", { class: "unsaved-mark" }, word("unsaved.mark")) : null) : null,
          row.opinions ? h("span", { class: "differ", title: row.opinions }, word("opinions.mark")) : null,
          verdict?.by && verdict.by !== this.by ? h("span", { class: "role" }, word("verdict_by", { who: verdict.by })) : null,
        ),
        h("span", { class: "line" }, row.line),
        h(
          "span",
          { class: "cause" },
          more > 0 && (closed || id === row.group)
            ? h("span", { class: "fold", title: word(closed ? "group.open" : "group.close") }, closed ? "▸ " : "▾ ", word("group", { n: more }))
            : null,
          row.cause ? h("span", { class: "before" }, row.cause) : null,
          row.before ? h("span", { class: "before" }, row.before) : null,
          row.case ? h("span", { class: "case" }, word("case.in", { id: row.case })) : null,
        ),
      ),
      dots(row),
    );
  }

  empty(day, data, word) {
    if (day.filter) return h("li", { class: "empty" }, h("p", {}, word("filter.none", { text: shortened(day.filter) })));
    const second = data.queue === "second-looks" ? "second" : "nothing";
    return h("li", { class: "empty" }, h("strong", {}, word(`empty.${second}`)), h("p", {}, word(`empty.${second}_about`)));
  }

  // Scrolls the list alone: `scrollIntoView` would move the page under the analyst's eyes.
  keepInSight(row) {
    if (!row) return;
    const top = row.offsetTop - this.rows.offsetTop;
    const { scrollTop, clientHeight } = this.rows;
    const margin = row.offsetHeight;
    if (top - margin < scrollTop) this.rows.scrollTop = top - margin;
    else if (top + row.offsetHeight + margin > scrollTop + clientHeight) this.rows.scrollTop = top + row.offsetHeight + margin - clientHeight;
  }
}

// A sentence names a filter by its beginning, however much was typed.
function shortened(text) {
  return text.length > LONGEST_NAMED ? `${text.slice(0, LONGEST_NAMED)}…` : text;
}

// Rarity by calibration: filled and empty dots, and the number in words for who hovers or listens.
export function dots(row) {
  return h("span", { class: "dots", title: row.dots_text, role: "img", "aria-label": row.dots_text }, "●".repeat(row.dots), h("span", { class: "off" }, "○".repeat(5 - row.dots)));
}
