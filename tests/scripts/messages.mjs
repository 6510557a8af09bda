// Every command of Hunt and Today once → the messages that they send, as JSON: node tests/scripts/messages.mjs
import { Day, Drafts } from "../../app/daylist/day.js";
import { Desk } from "../../app/labelling/desk.js";

const sent = { hunt: [], today: [] };

class Box {
  constructor(log) {
    this.log = log;
    this.messages = new Map();
  }
  list() { return [...this.messages.values()]; }
  put(message) {
    const kept = { ...message, client_id: `c${this.log.length}` };
    this.log.push(kept);
    this.messages.set(kept.client_id, kept);
    return kept;
  }
  withdraw() { return false; } // all has left: what is taken back is said
  acknowledge() {}
}

const desk = new Desk(new Box(sent.hunt));
const order = ["a", "b", "c"];
const evidence = Object.fromEntries(order.map((id) => [id, { raw: [] }]));
const items = Object.fromEntries(order.map((id) => [id, { entity: id }]));
desk.merge({ order, items, evidence, explaining: [], acked: [], history: [], labels: {}, again: [], open: "" }, true);
desk.draft("a").note = "why";
desk.draft("a").reason = "known-scanner";
desk.draft("a").family = "scan";
desk.label("malicious", "key", 200);
desk.label("benign", "click", 200);
desk.undo();
desk.propagate(desk.lastLesson(), ["c"], 200);
desk.undo();

const kept = new Map();
const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
const drafts = new Drafts("d:", storage);
const day = new Day(new Box(sent.today), drafts);
const row = (id) => ({ id, group: id, entity: id, role: "source inside", line: id, owner: "", reasons: [{ family: "scan", about: id }], verdict: null, judged: {} });
day.merge({ day: "2026-03-04", dataset: "d", queue: "most-anomalous", rows: [row("1"), row("2")], acked: [], history: [] });
drafts.put("1", { note: "why", reason: "known-scanner" });
day.say("benign", "key", 200);
day.stepReason(1);
day.say("malicious", "click", 200);
day.undo();

process.stdout.write(JSON.stringify(sent));
