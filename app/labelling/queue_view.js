// the desk's list → the queue at the left: place, whom, what in a line, how unusual, and what was said.

import { KEYS } from "./key_map.js";
import { arrange, h, put, sentence } from "./nodes.js";

export class QueueView {
  constructor(select, move) {
    this.rows = h("ol", { class: "rows", role: "listbox", tabindex: "0" });
    this.headings = h("div", { class: "headings", "aria-hidden": "true" }); // each cell says the name of its column
    this.node = h("section", { class: "queue" }, this.headings, this.rows);
    this.drawn = new Map(); // row_id → {node, place, says}
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

  // A key changes two rows and the places of the others: what stays is not made again, or each key would wait for it.
  draw(desk, data) {
    const word = (key, values) => sentence(data, key, values);
    this.rows.setAttribute("aria-label", word("queue.title"));
    this.rows.setAttribute("aria-keyshortcuts", KEYS.off ? "" : `${KEYS.written("J")} ${KEYS.written("K")}`);
    this.drawHeadings(data.columns);
    const list = desk.list();
    const places = desk.places();
    const before = this.drawn;
    this.drawn = new Map(list.map((id) => [id, this.row(before.get(id), id, desk, data, word)]));
    for (const [id, row] of this.drawn) put(row.place, String(places.get(id) ?? ""));
    arrange(this.rows, list.length ? list.map((id) => this.drawn.get(id).node) : [h("li", { class: "empty" }, word("queue.empty"))]);
  }

  drawHeadings(columns) {
    const says = JSON.stringify(columns);
    if (says === this.says) return;
    this.says = says;
    this.node.classList.toggle("columned", columns.length > 0);
    this.node.parentElement.style.setProperty("--columns", columns.length);
    this.headings.replaceChildren(...columns.map(({ name, about }) => h("span", { title: about }, name)));
  }

  // The row of an event: the one that is there already if it says the same.
  row(there, id, desk, data, word) {
    const cells = data.cells[id] ?? [];
    const item = desk.items.get(id);
    const given = desk.isOpen(id) ? null : desk.given.get(id);
    const moved = given ? null : desk.moved.get(id);
    const says = JSON.stringify([data.lang, data.columns, cells, item.entity, item.headline, item.reason, item.percentile, given?.verdict, given?.pending, moved]);
    const row = there?.says === says ? there : { ...drawnRow(id, item, given, moved, word, data.columns, cells), says };
    row.node.setAttribute("aria-selected", String(id === desk.current));
    return row;
  }

  // With the next frame: asking the browser where a row stands makes it lay out the page, which that frame does anyway.
  showSelected() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.keepInSight(this.rows.querySelector("[aria-selected=true]")));
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

function drawnRow(id, item, given, moved, word, columns, cells) {
  const classes = ["row", given ? "said" : "", given?.pending ? "pending" : ""].join(" ").trim();
  const place = h("span", { class: "number" });
  const node = h(
    "li",
    { class: classes, role: "option", "data-row-id": id },
    h("span", { class: "place" }, place, move(moved, word)),
    h(
      "span",
      { class: "what" },
      h("span", { class: "entity" }, item.entity),
      h("span", { class: "line" }, item.headline),
      h("span", { class: "cause" }, item.reason),
    ),
    ...columns.map(({ name, about }, at) => h("span", { class: "cell", title: about }, h("span", { class: "spoken" }, `${name} `), cells[at] ?? "—")),
    h(
      "span",
      { class: "side" },
      given ? mark(given, word) : h("span", { class: "percentile", title: word("percentile.title") }, item.percentile),
    ),
  );
  return { node, place };
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
