// names, attributes and text → elements. Text only ever becomes text: there is no way in for markup.

import { KEYS } from "./key_map.js";

export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") node.style.cssText = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// A sentence of the catalogue, with its values; `n` also chooses singular or plural.
export function sentence(data, key, values = {}) {
  const single = data.lang === "fr" ? Math.abs(values.n) < 2 : values.n === 1;
  const text = data.words[key] ?? data.words[`${key}.${single ? "one" : "other"}`] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

// The key of a command as this person has it; nothing where letters are off.
export function keycap(letter) {
  const written = KEYS.written(letter);
  return written && h("kbd", { "aria-hidden": "true" }, written);
}

// Text is only written where it differs: an equal one would be laid out again.
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Makes `nodes` the children of `parent`, in this order; those that stand right are not moved.
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let at = parent.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
}

// The parts of a view, each drawn anew only where what it shows differs: a button that a finger is on stays under it.
export class Parts {
  begin(of) {
    if (of !== this.of) this.drawn = new Map();
    this.of = of;
  }

  get(name, shows, make) {
    const state = JSON.stringify(shows);
    const before = this.drawn.get(name);
    if (before && before.state === state) return before.node;
    const node = make();
    this.drawn.set(name, { state, node });
    return node;
  }

  // As it was drawn last, or nothing.
  kept(name) {
    return this.drawn?.get(name)?.node;
  }
}
