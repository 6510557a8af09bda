// a person's own keys → which command a pressed key stands for, and what is written on the command's button.
//
// Letters alone, letters with Alt, or none; each letter can be another. Kept in this browser for each person, because
// it is about a keyboard and about hands. Arrows stay as they are.

export const MODES = ["alone", "alt", "off"];
const CHARACTER = /^[a-z0-9/?[\]]$/i;

export class KeyMap {
  constructor() {
    this.choose("");
  }

  // Take what `person` chose in this browser before.
  choose(person, storage = globalThis.localStorage) {
    this.storage = storage;
    this.name = `socml:keys:${encodeURIComponent(person)}`;
    let kept = {};
    try {
      kept = JSON.parse(storage?.getItem(this.name)) ?? {};
    } catch {
      // nothing that can be read: as at first
    }
    this.mode = MODES.includes(kept.mode) ? kept.mode : "alone";
    this.changed = new Map();
    for (const [usual, letter] of Object.entries(kept.letters ?? {})) this.swap(usual, String(letter));
  }

  get off() {
    return this.mode === "off";
  }

  // The command, by its usual letter, that a pressed key stands for; empty if it stands for none.
  command(pressed, alt) {
    if (!CHARACTER.test(pressed)) return alt ? "" : pressed;
    if (this.off || alt !== (this.mode === "alt")) return "";
    return this.owner(pressed);
  }

  owner(letter) {
    return [...this.changed].find(([, other]) => other === letter)?.[0] ?? letter;
  }

  // What is written for a command, "M" or "Alt+M"; null if no key stands for it.
  written(usual) {
    if (!CHARACTER.test(usual)) return usual;
    if (this.off) return null;
    return `${this.mode === "alt" ? "Alt+" : ""}${this.letter(usual)}`;
  }

  letter(usual) {
    const small = usual.toLowerCase();
    return (this.changed.get(small) ?? small).toUpperCase();
  }

  setMode(mode) {
    this.mode = mode;
    this.keep();
  }

  // Give a command another letter; the command that had it takes the one that is free now. False if it is no letter.
  change(usual, letter) {
    const done = this.swap(usual.toLowerCase(), letter.toLowerCase());
    if (done) this.keep();
    return done;
  }

  swap(usual, letter) {
    if (!/^[a-z]$/.test(usual) || !/^[a-z0-9]$/.test(letter)) return false;
    const other = this.owner(letter);
    const free = this.letter(usual).toLowerCase();
    for (const [command, key] of [[other, free], [usual, letter]]) {
      if (command === key) this.changed.delete(command);
      else this.changed.set(command, key);
    }
    return true;
  }

  reset() {
    this.mode = "alone";
    this.changed.clear();
    this.keep();
  }

  keep() {
    try {
      this.storage?.setItem(this.name, JSON.stringify({ mode: this.mode, letters: Object.fromEntries(this.changed) }));
    } catch {
      // a browser that keeps nothing: the choice lives as long as the page
    }
  }

  // A click of the mouse counts once; where no letter gives a verdict, Enter and Space on a button do.
  isClick(event) {
    return event.detail === 1 || (this.off && event.detail === 0);
  }
}

export const KEYS = new KeyMap();
