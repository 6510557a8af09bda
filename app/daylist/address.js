// the address of the page ↔ day, row, tab and filter, so that what is on screen can be sent to a colleague.

const NAMES = ["dataset", "day", "row", "role", "q", "events", "queue"];

export function read(search) {
  const found = new URLSearchParams(search);
  return Object.fromEntries(NAMES.map((name) => [name, found.get(name) ?? ""]));
}

export function written(href, state) {
  const address = new URL(href);
  for (const name of NAMES) {
    if (!(name in state)) continue;
    if (state[name]) address.searchParams.set(name, state[name]);
    else address.searchParams.delete(name);
  }
  return address.href;
}

// Filters of the events: {only: [[column, value]], exclude: [[column, value]]} ↔ text.
export function filtersOf(text) {
  try {
    const { only = [], exclude = [] } = JSON.parse(text || "{}");
    const clean = (pairs) => pairs.filter((pair) => Array.isArray(pair) && pair.length === 2).map((pair) => pair.map(String));
    return { only: clean(only), exclude: clean(exclude) };
  } catch {
    return { only: [], exclude: [] };
  }
}

export function filtersText({ only, exclude }) {
  return only.length || exclude.length ? JSON.stringify({ only, exclude }) : "";
}
