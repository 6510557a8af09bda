// counts by hour, or rarity by day → a strip of bars, each with its words for who hovers or listens.

import { h } from "../labelling/nodes.js";

export function hourStrip(hours, data) {
  const most = Math.max(1, ...hours);
  const label = hours.map((n, hour) => (n ? `${hour}:00 ${n}` : "")).filter(Boolean).join(", ");
  return h(
    "div",
    { class: "strip-bars hours", role: "img", "aria-label": label || "0" },
    hours.map((n, hour) => h("span", { class: "bar-cell", title: `${String(hour).padStart(2, "0")}:00 · ${data.numbers(n)}` }, h("span", { style: `height:${n ? Math.max(6, (100 * Math.sqrt(n)) / Math.sqrt(most)) : 0}%` }))),
    h("span", { class: "ends" }, h("span", {}, "00"), h("span", {}, "12"), h("span", {}, "24")),
  );
}

export function dayStrip(days, open) {
  return h(
    "div",
    { class: "strip-bars days" },
    days.map((day) =>
      h(
        "button",
        { type: "button", class: `bar-cell${day.here ? " here" : ""}${day.verdict ? ` ${day.verdict}` : ""}`, title: day.text, "aria-label": day.text, tabindex: "-1", onclick: () => open(day.day) },
        h("span", { style: `height:${day.dots ? 20 * day.dots : 0}%` }),
      ),
    ),
    h("span", { class: "ends" }, h("span", {}, days[0]?.short ?? ""), h("span", {}, days.at(-1)?.short ?? "")),
  );
}
