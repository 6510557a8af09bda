// Logic of the page Today without a browser: node --test tests/scripts
import assert from "node:assert/strict";
import { test } from "node:test";
import { filtersOf, filtersText, read, written } from "../../app/daylist/address.js";
import { Day, Drafts } from "../../app/daylist/day.js";
import { Events } from "../../app/daylist/events.js";
import { fits, parse } from "../../app/daylist/filter.js";

class Box {
  constructor() {
    this.messages = new Map();
    this.left = new Set();
  }
  list() { return [...this.messages.values()]; }
  put(message) {
    const kept = { ...message, client_id: `c${this.messages.size + this.left.size}` };
    this.messages.set(kept.client_id, kept);
    return kept;
  }
  withdraw(id) { return !this.left.has(id) && this.messages.delete(id); }
  acknowledge(ids) { for (const id of ids) this.messages.delete(id); }
}

class Storage {
  constructor() { this.kept = new Map(); }
  getItem(key) { return this.kept.get(key) ?? null; }
  setItem(key, value) { this.kept.set(key, value); }
  removeItem(key) { this.kept.delete(key); }
}

const reason = (family, about = "") => ({ family, family_text: family, column: `${family}_1d`, short: `${family} of things`, about });
const row = (id, more = {}) => ({
  id, group: id, place: 1, entity: `10.0.0.${id}`, role: "source inside", role_text: "host", line: `line ${id}`, owner: "", case: "",
  reasons: [reason("scan", "445")], verdict: null, judged: {}, ...more,
});

function day(rows, more = {}) {
  const made = new Day(new Box(), new Drafts("d:", new Storage()));
  made.merge({ day: "2026-03-04", dataset: "d", rows, acked: [], history: [], ...more });
  return made;
}

test("the first open row is on screen, and a verdict moves to one of another campaign", () => {
  const made = day([row("1"), row("2"), row("3", { reasons: [reason("beacon", "x")] })]);
  assert.equal(made.current, "1");
  assert.ok(made.say("benign", "key", 200));
  assert.equal(made.current, "3");
  assert.deepEqual(made.outbox.list()[0].row_ids, ["1"]);
});

test("a closed group is judged together, an open one row by row", () => {
  const made = day([row("1"), row("2", { group: "1" }), row("3", { reasons: [reason("dns")] })]);
  assert.deepEqual(made.list(), ["1", "3"]);
  assert.deepEqual(made.together("1"), ["1", "2"]);
  made.toggleGroup("1");
  assert.deepEqual(made.list(), ["1", "2", "3"]);
  assert.deepEqual(made.together("1"), ["1"]);
});

test("a member that the filter hides is not judged unseen", () => {
  const made = day([row("1"), row("2", { group: "1", entity: "web" })]);
  made.filter = "10.0.0.1";
  assert.deepEqual(made.together("1"), ["1"]);
});

test("one reason can be judged alone and the row stays on screen", () => {
  const made = day([row("1", { reasons: [reason("scan"), reason("edge")] }), row("2")]);
  made.stepReason(1);
  made.stepReason(1);
  assert.equal(made.reason, "edge");
  made.say("benign", "key", 200);
  assert.equal(made.current, "1");
  assert.equal(made.verdicts.has("1"), false);
  assert.equal(made.reasons.get("1 edge"), "benign");
});

test("undo restores the note, the reason and what was on screen", () => {
  const made = day([row("1"), row("2", { reasons: [reason("dns")] })]);
  made.drafts.put("1", { note: "ours", reason: "scanner" });
  made.say("benign", "key", 200);
  assert.equal(made.drafts.of("1").note, "");
  made.undo();
  assert.equal(made.current, "1");
  assert.deepEqual(made.drafts.of("1"), { note: "ours", reason: "scanner" });
  assert.equal(made.verdicts.has("1"), false);
  assert.equal(made.outbox.list().length, 0, "it had never left");
});

test("an undo of what left is sent", () => {
  const made = day([row("1", { verdict: { verdict: "benign" } })], { history: [{ client_id: "x", row_ids: ["1"], verdict: "benign", family: "" }] });
  made.undo();
  assert.deepEqual(made.outbox.list().map((message) => [message.kind, message.undo_of]), [["undo", "x"]]);
  assert.equal(made.verdicts.has("1"), false);
});

test("a new answer keeps the order that was read, and the row on screen", () => {
  const made = day([row("1"), row("2"), row("3")]);
  made.select("2");
  made.merge({ day: "2026-03-04", dataset: "d", rows: [row("3"), row("2"), row("4"), row("1")], acked: [], history: [] });
  assert.deepEqual(made.order, ["1", "2", "3", "4"]);
  assert.equal(made.current, "2");
});

test("drafts survive a storage that refuses", () => {
  const refusing = { getItem: () => { throw new Error("no"); }, setItem: () => { throw new Error("no"); }, removeItem: () => { throw new Error("no"); } };
  const drafts = new Drafts("d:", refusing);
  drafts.put("1", { note: "x" });
  drafts.drop("1");
  assert.equal(drafts.of("1").note, "");
});

test("the filter takes words, exclusions, and where to look", () => {
  const one = row("1", { line: "138 addresses tried in vain", role: "account inside", role_text: "account" });
  const said = { verdict: "benign", text: "benign" };
  for (const [text, there] of [
    ["", true], ["138 vain", true], ["138 -vain", false], ["verdict:open", true], ["family:scan", true], ["-family:scan", false],
    ["role:account", true], ["host:10.0.0.1", true], ["feature:scan_1d", true], ['"tried in"', true], ["nothing", false], ["-", false],
  ]) assert.equal(fits(one, null, parse(text)), there, text);
  assert.equal(fits(one, said, parse("verdict:benign")), true);
  assert.equal(fits(one, said, parse("verdict:open")), false);
});

test("the address and the state are one another's inverse", () => {
  const href = written("http://x/?lang=fr&day=old", { day: "2026-03-04", row: "r", role: "", q: "a b", events: filtersText({ only: [["a", "b"]], exclude: [] }) });
  const found = read(new URL(href).search);
  assert.deepEqual([found.day, found.row, found.role, found.q], ["2026-03-04", "r", "", "a b"]);
  assert.deepEqual(filtersOf(found.events), { only: [["a", "b"]], exclude: [] });
  assert.ok(href.includes("lang=fr"));
  assert.deepEqual(filtersOf("{bad"), { only: [], exclude: [] });
  assert.deepEqual(filtersOf('{"only":[1,["a"]]}'), { only: [], exclude: [] });
});

test("events are asked for ahead, the row on screen first, and each page once", () => {
  const made = day([row("1"), row("2"), row("3")]);
  made.select("2");
  const events = new Events();
  const asked = events.wanted(made);
  assert.deepEqual(asked.map((one) => one.row), ["2", "3"]);
  events.take({ [asked[0].key]: { total: 1 } }, "en");
  assert.equal(events.of("2").total, 1);
  assert.deepEqual(events.wanted(made).map((one) => one.row), ["3"]);
  events.filter("only", "user_name", "ana");
  assert.equal(events.of("2"), null);
  events.unfilter("only", "user_name", "ana");
  assert.equal(events.of("2").total, 1);
});

test("a name whose value is not typed yet hides no row", () => {
  for (const text of ["verdict:", "-family:", 'host:""', "10.0 user:"]) assert.ok(fits(row("a"), null, parse(text)), text);
  assert.ok(!fits(row("a"), null, parse("verdict: nothing-like-it")));
});
