// What is typed into a field and not stored yet → this tab's memory, and back into the field when it is drawn anew.
//
// For fields whose key, as Streamlit was given it, begins with `draft_`: it is a class of what holds them. At its end may stand
// which drawing of the field it is (`_v2`).

const KEY = "st-key-draft_";
const FIELDS = `[class*="${KEY}"] :is(textarea, input)`;

function nameOf(field) {
  const [name] = [...field.closest(`[class*="${KEY}"]`).classList].filter((one) => one.startsWith(KEY));
  return `socml:typed:${name.replace(/_v\d+$/, "")}`;
}

// As a person's own key strokes would, so that Streamlit takes it for typed.
function type(field, text) {
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, text);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

export class Typed {
  constructor(storage) {
    this.storage = storage;
    this.drawn = new WeakMap(); // field → what it held when it was drawn
    this.sent = new Set(); // names of fields whose form was sent since they were typed into
  }

  send(fields) {
    for (const field of fields) this.sent.add(nameOf(field));
  }

  keep(field) {
    const drawn = this.drawn.get(field) ?? "";
    this.sent.delete(nameOf(field));
    this.write(field, field.value === drawn ? "" : field.value, drawn);
  }

  write(field, text, drawn = "") {
    for (const [name, value] of [[nameOf(field), text], [`${nameOf(field)}:over`, text && drawn]]) {
      if (value) this.storage.setItem(name, value);
      else this.storage.removeItem(name);
    }
  }

  // A field that is drawn as it was when it was typed into gets that back; one that became so again since has been stored, and
  // so has one that was sent and is drawn anew. A page that is loaded again knows of no sending: there it comes back.
  look(fields) {
    for (const field of fields) {
      const [text, over] = [nameOf(field), `${nameOf(field)}:over`].map((name) => this.storage.getItem(name) ?? "");
      if (this.drawn.has(field)) {
        if (text && field.value === over) this.write(field, "");
        continue;
      }
      const wasSent = text && this.sent.has(nameOf(field));
      if (wasSent) this.write(field, "");
      this.drawn.set(field, !wasSent && field.value === text ? over : field.value);
      if (text && !wasSent && field.value === over) type(field, text);
    }
  }
}

export function keepTyped() {
  let storage;
  try {
    storage = sessionStorage;
    storage.setItem("socml:typed", "");
  } catch {
    return; // a browser that keeps nothing: what is typed lives as long as the page
  }
  const typed = new Typed(storage);
  const look = () => typed.look(document.querySelectorAll(FIELDS));
  document.addEventListener("input", ({ target }) => {
    if (!target.matches?.(FIELDS)) return;
    try {
      typed.keep(target);
    } catch {
      // no room left: as above
    }
  });
  const send = (within) => typed.send(within?.closest('[data-testid="stForm"]')?.querySelectorAll(FIELDS) ?? []);
  window.addEventListener("click", ({ target }) => send(target.closest?.("button")), true);
  window.addEventListener("keydown", ({ key, ctrlKey, metaKey, target }) => {
    if (key === "Enter" && (ctrlKey || metaKey || target.tagName === "INPUT")) send(target);
  }, true);
  for (const moment of ["click", "focusin", "pagehide"]) window.addEventListener(moment, look, true);
  // An input that the server empties alone changes no element, only its attribute.
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributeFilter: ["value"] });
}
