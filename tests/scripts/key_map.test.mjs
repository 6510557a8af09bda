// A person's own keys without a browser: node --test tests/scripts
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyMap } from "../../app/labelling/key_map.js";

class Storage {
  constructor() { this.kept = new Map(); }
  getItem(key) { return this.kept.get(key) ?? null; }
  setItem(key, value) { this.kept.set(key, value); }
}

function keys(storage = new Storage(), person = "ana") {
  const made = new KeyMap();
  made.choose(person, storage);
  return made;
}

test("at first each letter is its own command, and none with Alt", () => {
  const made = keys();
  assert.equal(made.command("m", false), "m");
  assert.equal(made.command("m", true), "");
  assert.equal(made.written("M"), "M");
});

test("without letters no character is a command, and arrows still are", () => {
  const made = keys();
  made.setMode("off");
  for (const sign of ["m", "h", "/", "?", "[", "]", "1"]) assert.equal(made.command(sign, false), "", sign);
  assert.equal(made.command("right", false), "right");
  assert.equal(made.command("shift+left", false), "shift+left");
  assert.equal(made.written("M"), null);
  assert.equal(made.written("→"), "→");
});

test("with Alt a letter alone is no command", () => {
  const made = keys();
  made.setMode("alt");
  assert.equal(made.command("m", false), "");
  assert.equal(made.command("m", true), "m");
  assert.equal(made.written("M"), "Alt+M");
});

test("two commands never share a letter: they change places, whatever the order of changes", () => {
  const made = keys();
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  let seed = 7;
  for (let i = 0; i < 500; i += 1) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    made.change("mbfuszjk"[seed % 8], letters[(seed >> 8) % letters.length]);
    const commands = [..."mbfuszjknwrxgh"].map((usual) => made.letter(usual));
    assert.equal(new Set(commands).size, commands.length);
    for (const usual of "mbfuszjknwrxgh") assert.equal(made.command(made.letter(usual).toLowerCase(), false), usual);
  }
});

test("a choice is kept for its person alone, and can be taken back", () => {
  const storage = new Storage();
  const made = keys(storage);
  made.change("m", "y");
  made.change("B", "F");
  const again = keys(storage);
  assert.deepEqual(["y", "f", "b", "m"].map((key) => again.command(key, false)), ["m", "b", "f", "y"]);
  assert.equal(keys(storage, "bo").command("m", false), "m");
  again.reset();
  assert.equal(keys(storage).command("m", false), "m");
});

test("what is no letter is refused, and a broken record is as at first", () => {
  const made = keys();
  for (const [usual, letter] of [["m", ""], ["m", " "], ["m", "é"], ["/", "a"], ["m", "ab"]]) assert.equal(made.change(usual, letter), false);
  const storage = new Storage();
  storage.setItem("socml:keys:ana", "{");
  assert.equal(keys(storage).mode, "alone");
  storage.setItem("socml:keys:ana", JSON.stringify({ mode: "x", letters: { m: null, __proto__: "a", zz: "q" } }));
  assert.equal(keys(storage).command("m", false), "m");
});

test("Enter and Space on a button count where no letter does", () => {
  const made = keys();
  assert.ok(made.isClick({ detail: 1 }));
  assert.ok(!made.isClick({ detail: 0 }));
  assert.ok(!made.isClick({ detail: 2 }));
  made.setMode("off");
  assert.ok(made.isClick({ detail: 0 }));
});
