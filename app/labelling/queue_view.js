// the desk's list → the queue at the left: place, whom, what in a line, how unusual, and what was said.

import { KEYS } from "./key_map.js";
import { h, sentence } from "./nodes.js";

export class QueueView {
  constructor(select, move) {
    this.rows = h("ol", { class: "rows", role: "listbox", tabindex: "0" });
    this.node = h("section", { class: "queue" }, this.rows);
    this.select = select;
    this.rows.addEventListener("click", (event) => {
      const row = event.target.closest("[data-row-id]");
      if (row) this.select(row.dataset.rowId);
    });
    this.rows.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      move(step);
    });
  }

  draw(desk, data) {
    const word = (key, values) => sentence(data, key, values);
    this.rows.setAttribute("aria-label", word("queue.title"));
    this.rows.setAttribute("aria-keyshortcuts", KEYS.off ? "" : `${KEYS.written("J")} ${KEYS.written("K")}`);
    const list = desk.list();
    this.rows.replaceChildren(...list.map((id) => this.row(id, desk, word)));
    if (!list.length) this.rows.replaceChildren(h("li", { class: "empty" }, word("queue.empty")));
    this.keepInSight(this.rows.querySelector("[aria-selected=true]"));
  }

  row(id, desk, word) {
    const item = desk.items.get(id);
    const given = desk.isOpen(id) ? null : desk.given.get(id);
    const selected = id === desk.current;
    const classes = ["row", given ? "said" : "", given?.pending ? "pending" : ""].join(" ").trim();
    return h(
      "li",
      { class: classes, role: "option", "aria-selected": String(selected), "data-row-id": id },
      h("span", { class: "place" }, given ? null : String(desk.place(id)), given ? null : move(desk.moved.get(id), word)),
      h(
        "span",
        { class: "what" },
        h("span", { class: "entity" }, item.entity),
        h("span", { class: "line" }, item.headline),
        h("span", { class: "cause" }, item.reason),
      ),
      h(
        "span",
        { class: "side" },
        given ? mark(given, word) : h("span", { class: "percentile", title: word("percentile.title") }, item.percentile),
      ),
    );
  }

  // Scrolls the list alone: `scrollIntoView` would move the page under the analyst's eyes.
  keepInSight(row) {
    if (!row) return;
    const margin = 2 * row.offsetHeight;
    const top = row.offsetTop - this.rows.offsetTop;
    const { scrollTop, clientHeight } = this.rows;
    if (top - margin < scrollTop) this.rows.scrollTop = top - margin;
    else if (top + row.offsetHeight + margin > scrollTop + clientHeight) {
      this.rows.scrollTop = top + row.offsetHeight + margin - clientHeight;
    }
  }
}

function move(gained, word) {
  if (!gained) return null;
  if (gained === "new") return h("span", { class: "move new" }, word("move.new"));
  const up = gained > 0;
  return h(
    "span",
    { class: `move ${up ? "up" : "down"}`, title: word(up ? "move.up" : "move.down", { n: Math.abs(gained) }) },
    `${up ? "▲" : "▼"}${Math.abs(gained)}`,
  );
}

export function mark(given, word) {
  return [
    h("span", { class: `verdict ${given.verdict}` }, word(`verdict.${given.verdict}`)),
    given.pending ? h("span", { class: "unsaved-mark" }, word("unsaved.mark")) : null,
  ];
}
