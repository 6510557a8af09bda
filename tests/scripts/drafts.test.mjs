// What is typed and not stored, without a browser: node --test tests/scripts
import assert from "node:assert/strict";
import { test } from "node:test";
import { Typed } from "../../app/drafts.js";

function memory() {
  const kept = new Map();
  return { kept, getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text), removeItem: (key) => kept.delete(key) };
}

class Field extends EventTarget {
  #text = "";
  get value() {
    return this.#text;
  }
  set value(text) {
    this.#text = text;
  }
  closest() {
    return { classList: ["other", "st-key-draft_text_C1_ana"] };
  }
}

test("what was typed comes back into a field drawn anew, as if it was typed, and is forgotten once the field is emptied", () => {
  const storage = memory();
  const [typed, first, second] = [new Typed(storage), new Field(), new Field()];
  typed.look([first]);
  assert.equal(first.value, "");
  first.value = "asked the owner";
  typed.keep(first);
  const told = [];
  second.addEventListener("input", () => told.push(second.value));
  typed.look([second]);
  assert.deepEqual(told, ["asked the owner"]);
  second.value = ""; // stored: the server empties it
  typed.look([second]);
  assert.equal(storage.kept.size, 0);
  typed.look([new Field()]);
  assert.equal(storage.kept.size, 0);
});

test("a field that holds something keeps it, and one that a person empties stays empty", () => {
  const storage = memory();
  const typed = new Typed(storage);
  const [field, again] = [new Field(), new Field()];
  field.value = "newer";
  storage.setItem("socml:typed:st-key-draft_text_C1_ana", "older");
  typed.look([field]);
  assert.equal(field.value, "newer");
  field.value = "";
  typed.keep(field);
  typed.look([again]);
  assert.equal(again.value, "");
});

test("what was sent does not come back into a field that is drawn anew without it, and does after it was typed again", () => {
  const storage = memory();
  const typed = new Typed(storage);
  const [first, second, third, fourth] = [new Field(), new Field(), new Field(), new Field()];
  typed.look([first]);
  first.value = "asked the owner";
  typed.keep(first);
  typed.send([first]);
  typed.look([second]); // the server emptied the form, and the page drew another field
  assert.equal(second.value, "");
  assert.equal(storage.kept.size, 0);
  second.value = "and the guard";
  typed.keep(second);
  typed.look([third]);
  assert.equal(third.value, "and the guard");
  typed.send([third]);
  new Typed(storage).look([fourth]); // the page was loaded again before it was stored
  assert.equal(fourth.value, "and the guard");
});

test("what was typed over a text comes back over that text only, and not over what a colleague wrote there since", () => {
  const storage = memory();
  const field = (text) => Object.assign(new Field(), { value: text });
  const [typed, first] = [new Typed(storage), field("Scan")];
  typed.look([first]);
  first.value = "Scan of";
  typed.keep(first);
  const moved = field("Scan of"); // the page draws the field anew, with what was typed
  typed.look([moved]);
  moved.value = "Scan of B";
  typed.keep(moved);
  const [again, another] = [field("Scan"), field("Sweep")];
  new Typed(storage).look([again]);
  new Typed(storage).look([another]);
  assert.deepEqual([again.value, another.value], ["Scan of B", "Sweep"]);
  typed.send([moved]);
  typed.look([field("Scan of B")]); // stored
  assert.equal(storage.kept.size, 0);
});

test("what is typed and taken back by hand is not kept", () => {
  const storage = memory();
  const [typed, field] = [new Typed(storage), Object.assign(new Field(), { value: "Scan" })];
  typed.look([field]);
  for (const [text, size] of [["Scan of", 2], ["Scan", 0]]) {
    field.value = text;
    typed.keep(field);
    assert.equal(storage.kept.size, size);
  }
});
