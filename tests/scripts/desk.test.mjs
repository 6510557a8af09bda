// Which event follows a verdict on Hunt, without a browser: node --test tests/scripts
import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk } from "../../app/labelling/desk.js";
import { arrange } from "../../app/labelling/nodes.js";

class Box {
  constructor() {
    this.messages = new Map();
    this.sent = 0;
  }
  list() { return [...this.messages.values()]; }
  put(message) {
    this.sent += 1;
    const kept = { ...message, client_id: `c${this.sent}` };
    this.messages.set(kept.client_id, kept);
    return kept;
  }
  withdraw(id) { return this.messages.delete(id); }
  acknowledge(ids) { for (const id of ids) this.messages.delete(id); }
}

const items = (ids) => Object.fromEntries(ids.map((id) => [id, { entity: id, headline: id }]));
const records = (ids) => Object.fromEntries(ids.map((id) => [id, { raw: [] }]));

function answer(order, { whole = [], fresh = order, history = [], ...more } = {}) {
  return { order, items: items(fresh), evidence: records(whole), explaining: [], acked: [], history, labels: {}, again: [], open: "", ...more };
}

function desk(order, more) {
  const made = new Desk(new Box());
  made.merge(answer(order, more), true);
  return made;
}

const letters = "abcdefghijklmnopqrstuvwxyz".split("");

test("the next event is the first that is here in full; what was passed over comes as soon as it is", () => {
  const at = desk(["a", "b", "c", "d"], { whole: ["a", "c", "d"] });
  at.label("benign", "key", 200);
  assert.equal(at.current, "c");
  assert.deepEqual([...at.passed], ["b"]);
  at.merge(answer(["b", "c", "d"], { whole: ["b"] }), false);
  assert.equal(at.current, "c", "the event on screen never changes but by a key");
  at.label("benign", "key", 200);
  assert.equal(at.current, "b");
});

test("without one that is here in full the next in order is shown, and waited for", () => {
  const at = desk(["a", "b", "c"], { whole: ["a"] });
  at.label("malicious", "key", 200);
  assert.equal(at.current, "b");
  assert.equal(at.isWhole("b"), false);
});

test("while a new ranking is being read, events that were next a moment ago are shown", () => {
  const at = desk(["a", "b", "c", "d"], { whole: ["a", "b", "c", "d"] });
  at.label("benign", "key", 200);
  assert.equal(at.current, "b");
  at.merge(answer(["x", "y"], { fresh: ["x", "y"] }), false);
  assert.deepEqual(at.reserve, ["b", "c", "d"]);
  at.label("benign", "key", 200);
  assert.equal(at.current, "c", "x and y are not here in full yet");
  assert.ok(!at.reserve.includes("c"));
  at.merge(answer(["x", "y"], { whole: ["x", "y"] }), false);
  at.label("benign", "key", 200);
  assert.equal(at.current, "x", "the new ranking comes first as soon as it can be judged");
});

test("another filter: what it leaves out is neither on screen, nor next, nor behind; what was typed stays", () => {
  const at = desk(["a", "b", "c"], { whole: ["a", "b", "c"], only: "" });
  at.label("benign", "key", 200);
  at.setDraft({ note: "half a note" });
  at.merge(answer(["x", "y"], { whole: ["x", "y"], only: "dns" }), false);
  assert.equal(at.current, "x");
  assert.deepEqual(at.reserve, []);
  assert.ok(!at.list().includes("b") && !at.list().includes("c"));
  assert.equal(at.draft("b").note, "half a note");
  at.merge(answer(["y", "x"], { only: "dns" }), false);
  assert.equal(at.current, "x", "the same filter again changes nothing on screen");
});

test("no event is asked for twice, and each is reached, however the ranking moves", () => {
  const whole = new Set();
  const at = desk(letters, {});
  const seen = [];
  let order = letters;
  for (let step = 0; at.current && step < 100; step += 1) {
    for (const id of at.wanted().slice(0, 3)) whole.add(id);
    if (at.isWhole(at.current)) {
      seen.push(at.current);
      at.label(step % 5 ? "benign" : "malicious", "key", 200);
    }
    order = [...order].reverse();
    const open = order.filter((id) => !seen.includes(id));
    at.merge(answer(open, { whole: [...whole] }), false);
  }
  assert.equal(new Set(seen).size, seen.length);
  assert.deepEqual([...seen].sort(), letters);
});

test("records are asked for many at a time, and not again while enough are here", () => {
  const at = desk(letters, { whole: letters.slice(0, 17) });
  assert.deepEqual(at.wanted(), [], "nine of the 26 lack, all of them far down");
  for (let n = 0; n < 10; n += 1) at.label("benign", "key", 200);
  assert.equal(at.wanted().length, 9, "the next seven are here, and then none");
  assert.equal(desk(letters, { whole: letters.slice(0, 16) }).wanted().length, 10, "enough lack to be worth a reading");
  assert.ok(at.wanted().every((id) => !at.isWhole(id)));
});

test("places count the events that are still open", () => {
  const at = desk(["a", "b", "c"], { whole: ["a", "b", "c"] });
  at.label("benign", "key", 200);
  assert.deepEqual([...at.places()], [["b", 1], ["c", 2]]);
});

class Node {
  constructor(name) { this.name = name; this.children = []; this.moves = 0; }
  get childNodes() { return this.children; }
  get firstChild() { return this.children[0] ?? null; }
  get nextSibling() { return this.parent.children[this.parent.children.indexOf(this) + 1] ?? null; }
  insertBefore(node, before) {
    this.moves += 1;
    if (node.parent) node.parent.children = node.parent.children.filter((child) => child !== node);
    const at = before ? this.children.indexOf(before) : this.children.length;
    this.children.splice(at, 0, node);
    node.parent = this;
  }
  remove() { this.parent.children = this.parent.children.filter((child) => child !== this); }
}

test("children are put in order, and those that stand right are not moved", () => {
  const parent = new Node("parent");
  const nodes = letters.map((letter) => new Node(letter));
  const names = () => parent.children.map((child) => child.name).join("");
  arrange(parent, nodes.slice(0, 5));
  assert.equal(names(), "abcde");
  parent.moves = 0;
  arrange(parent, [...nodes.slice(1, 5), nodes[5]]);
  assert.equal(names(), "bcdef");
  assert.equal(parent.moves, 1);
  arrange(parent, [nodes[4], nodes[1], nodes[9]]);
  assert.equal(names(), "ebj");
  arrange(parent, []);
  assert.equal(names(), "");
});
