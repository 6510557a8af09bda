// a key press on the page → at most one command, and never one that was meant as text.

import { isConnectionNotice } from "../notice.js";
import { KEYS } from "./key_map.js";

export const VERDICT_KEYS = { m: "malicious", b: "benign", f: "false_alarm", u: "unsure", s: "skip" };
const TYPED_INTO = "input, textarea, select, [contenteditable], [role=textbox], [role=combobox], [role=grid]";

export class Keys {
  constructor(commands) {
    this.commands = commands;
    this.down = new Set();
    this.onDown = (event) => this.pressed(event);
    this.onUp = (event) => this.down.delete(event.code || event.key);
    this.onLost = () => this.down.clear();
    document.addEventListener("keydown", this.onDown, true);
    document.addEventListener("keyup", this.onUp, true);
    window.addEventListener("blur", this.onLost);
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.isComposing) return;
    const held = event.repeat || this.down.has(event.code || event.key);
    this.down.add(event.code || event.key);
    const pressed = signOf(event) || (event.shiftKey ? "" : letterOf(event));
    const command = KEYS.command(pressed, event.altKey);
    if (!pressed || !this.commands.knows(command)) return;
    if (isText(event) || isOfTable(event, pressed) || modalIsOpen()) return;
    event.preventDefault();
    if (!held) this.commands.run(command, event.timeStamp, pressed);
  }

  close() {
    document.removeEventListener("keydown", this.onDown, true);
    document.removeEventListener("keyup", this.onUp, true);
    window.removeEventListener("blur", this.onLost);
  }
}

const SIGNS = { ArrowRight: "right", ArrowLeft: "left", ArrowDown: "down", ArrowUp: "up", "/": "/", "?": "?", "[": "[", "]": "]" };

// Keys that are no letter; some layouts write a sign with Shift.
function signOf(event) {
  const sign = SIGNS[event.key] ?? "";
  return event.shiftKey && sign.length > 1 ? `shift+${sign}` : sign;
}

// The letter or digit that the layout writes (M is elsewhere on a French keyboard); the key's place for other alphabets.
function letterOf(event) {
  const written = (event.key ?? "").toLowerCase();
  if (/^[a-z0-9]$/.test(written)) return written;
  if (/^\p{L}$/u.test(written) && /^Key[A-Z]$/.test(event.code)) return event.code.slice(3).toLowerCase();
  return "";
}

// The path goes through shadow roots, so a field inside any component counts.
function isText(event) {
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  return [...event.composedPath(), focused].some(
    (node) => node instanceof Element && (node.isContentEditable || node.matches(TYPED_INTO)),
  );
}

// Arrows move within a table or a menu that has the focus.
function isOfTable(event, pressed) {
  return pressed.length > 1 && event.composedPath().some((node) => node instanceof Element && node.matches("[data-arrows]"));
}

// One of Streamlit's own dialogs or menus covers the event. The notice below is on its way out, and takes no key.
function modalIsOpen() {
  const found = [...document.querySelectorAll('[role="dialog"], [aria-modal="true"]')];
  return found.some((dialog) => !isConnectionNotice(dialog));
}

// Streamlit's notice that the server is away covers the event and speaks English only. The strip says the
// same, and labels are kept: so it is closed, and the analyst goes on.
export class ConnectionNotice {
  constructor(appeared) {
    this.appeared = appeared;
    this.observer = new MutationObserver(() => this.closeIt());
    this.observer.observe(document.body, { childList: true });
  }

  closeIt() {
    for (const dialog of document.querySelectorAll('[role="dialog"]')) {
      if (!isConnectionNotice(dialog)) continue;
      dialog.querySelector("button")?.click(); // what closes it
      this.appeared();
    }
  }

  close() {
    this.observer.disconnect();
  }
}
