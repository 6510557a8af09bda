// what Python hands over and what the analyst does → which event is on screen, what follows, what was said.
//
// No drawing and no keys here. The event on screen never changes but by the analyst's own key.

const TRAIL = 200; // labelled events that stay in the list, so that one can walk back to them
const AHEAD = 28; // events whose records are asked for before they are needed; a ranking that moves makes more of it idle
const ASK_BELOW = 8; // as soon as one of the next so many has none
const ASK_MANY = 10; // or as soon as so many have none
const RESERVE = 24; // events that are here in full and were next a moment ago

export class Desk {
  constructor(outbox) {
    this.outbox = outbox;
    this.items = new Map();
    this.evidence = new Map();
    this.order = [];
    this.upcoming = [];
    this.trail = [];
    this.current = null;
    this.given = new Map(); // row_id → {verdict, reason, family, note, pending}
    this.past = []; // this analyst's labels, oldest first: {client_id, row_id, verdict, …}
    this.drafts = new Map(); // row_id → {reason, family, note} not yet given with a verdict
    this.returned = new Set();
    this.passed = new Set(); // events that were not here in full when their turn came: they come as soon as they are
    this.reserve = []; // events that a new ranking put further down: shown while those before them are being read
    this.moved = new Map();
    this.said = null; // the last thing done, for the strip
    this.tooFast = false; // whether the last key was for an event that had not been seen
    this.history = [];
    this.explaining = [];
    this.labels = {}; // row_id → everyone's labels on it, in words
    this.again = new Set(); // labelled events that are offered for a second look
  }

  // Another filter: what it leaves out is neither on screen nor next.
  begin(only) {
    this.only = only;
    this.current = null;
    [this.upcoming, this.reserve, this.trail] = [[], [], []];
    this.passed.clear();
  }

  merge(data, first) {
    if (data.only !== this.only) this.begin(data.only);
    for (const [id, item] of Object.entries(data.items)) this.items.set(id, item);
    for (const [id, evidence] of Object.entries(data.evidence)) {
      this.evidence.set(id, { ...this.evidence.get(id), ...evidence });
    }
    this.explaining = data.explaining;
    this.outbox.acknowledge(data.acked.filter((id) => this.outbox.messages.has(id)));
    this.history = data.history;
    this.labels = data.labels;
    this.again = new Set(data.again);
    this.replay();
    if (data.order.join() !== this.order.join()) this.moved = movement(this.order, data.order);
    this.order = data.order;
    this.rebuild(first ? data.open : null);
  }

  // What was said so far: what the store holds, then what it has not acknowledged yet.
  replay() {
    this.past = this.history.map((label) => ({ ...label, pending: false }));
    const known = new Set(this.past.map((label) => label.client_id));
    this.returned = new Set();
    for (const message of this.outbox.list()) {
      if (message.kind === "undo") {
        this.past = this.past.filter((label) => label.client_id !== message.undo_of);
        this.returned.add(message.row_id);
      } else if (message.kind === "label" && !known.has(message.client_id)) {
        this.past.push({ ...message, pending: true });
        this.returned.delete(message.row_id);
      }
    }
    this.given = new Map(this.past.map((label) => [label.row_id, label]));
  }

  // What has no verdict yet, or one that is to be looked at again.
  isOpen(id) {
    return !this.given.has(id) || (this.again.has(id) && !this.given.get(id).pending);
  }

  rebuild(open) {
    const place = Math.max(0, this.upcoming.indexOf(this.current));
    const next = this.order.filter((id) => this.isOpen(id) && this.items.has(id));
    for (const id of this.returned) {
      if (!next.includes(id) && this.isOpen(id) && this.items.has(id)) next.splice(0, 0, id);
    }
    const whole = [...this.upcoming.slice(place), ...this.reserve].filter((id) => this.isOpen(id) && this.isWhole(id) && !next.includes(id));
    this.reserve = [...new Set(whole)].slice(0, RESERVE);
    if (open && this.items.has(open)) this.current = open;
    const kept = this.current;
    if (kept && this.items.has(kept) && this.isOpen(kept) && !this.trail.includes(kept)) {
      const at = next.indexOf(kept);
      if (at >= 0) next.splice(at, 1);
      next.splice(open === kept && at >= 0 ? at : Math.min(place, next.length), 0, kept);
    } else if (kept && !this.isOpen(kept) && !this.trail.includes(kept)) {
      this.trail.push(kept);
    }
    for (const label of this.past) {
      if (label.pending && this.items.has(label.row_id) && !this.trail.includes(label.row_id)) {
        this.trail.push(label.row_id);
      }
    }
    this.trail = this.trail.filter((id) => !next.includes(id)).slice(-TRAIL);
    this.upcoming = next;
    if (!this.current || !this.items.has(this.current)) this.current = this.upcoming[0] ?? null;
  }

  list() {
    return [...this.trail, ...this.upcoming];
  }

  // row_id → place in the queue, 1 the first; an event that is looked at from outside it has none.
  places() {
    return new Map(this.order.filter((row) => this.isOpen(row)).map((row, at) => [row, at + 1]));
  }

  // Whether all that a verdict needs is here: what, why, and the records.
  isWhole(id) {
    const item = this.items.get(id);
    return Boolean(item && !item.pending && this.evidence.get(id)?.raw);
  }

  // The event on screen, those that were passed over, then those that follow.
  ahead() {
    const at = Math.max(0, this.upcoming.indexOf(this.current));
    const turn = [...new Set([this.current, ...this.passed, ...this.upcoming.slice(at, at + AHEAD)])];
    return turn.filter((id) => this.items.has(id)).slice(0, AHEAD);
  }

  // After a verdict: the next event that is here in full, so that nobody waits for one that is not.
  next(after) {
    const list = this.list();
    const open = new Set(this.upcoming);
    const turn = [...this.passed, ...list.slice(list.indexOf(after) + 1)].filter((id) => id !== after && open.has(id) && this.isOpen(id));
    const whole = turn.find((id) => this.isWhole(id));
    this.passed = new Set(whole ? turn.slice(0, turn.indexOf(whole)) : turn.slice(0, AHEAD));
    const spare = whole ? null : this.reserve.find((id) => id !== after && this.isOpen(id));
    this.reserve = this.reserve.filter((id) => id !== spare);
    return whole ?? spare ?? turn[0] ?? this.upcoming.find((id) => id !== after) ?? null;
  }

  // Events whose records are not here; asked for many at a time, for a reading costs about the same for one as for ten.
  wanted() {
    return this.lackingAhead("raw");
  }

  // Events of which it is not worked out yet what would make them normal.
  unfinished() {
    return this.lackingAhead("normal");
  }

  lackingAhead(part) {
    const ahead = this.ahead();
    const lacks = (id) => !this.evidence.get(id)?.[part];
    const lacking = ahead.filter(lacks);
    return lacking.length >= ASK_MANY || ahead.slice(0, ASK_BELOW).some(lacks) ? lacking : [];
  }

  // What the browser has for good; an event that is still being explained is sent again.
  holds() {
    return [...this.items.keys()].filter((id) => !this.items.get(id).pending);
  }

  // Events that Python takes for held here, and that are not (the page was left and opened again).
  lacking() {
    return this.order.some((id) => !this.items.has(id));
  }

  select(id) {
    if (this.items.has(id)) this.current = id;
  }

  move(step) {
    const list = this.list();
    const at = list.indexOf(this.current);
    const to = Math.min(list.length - 1, Math.max(0, at + step));
    if (list.length) this.current = list[to];
  }

  draft(id = this.current) {
    const given = (this.again.has(id) ? null : this.given.get(id)) ?? {};
    return this.drafts.get(id) ?? { reason: given.reason ?? "", family: given.family ?? "", note: given.note ?? "" };
  }

  setDraft(change) {
    this.drafts.set(this.current, { ...this.draft(), ...change });
  }

  label(verdict, how, seenMs) {
    const id = this.current;
    if (!id || !this.items.has(id)) return false;
    const message = { kind: "label", row_id: id, verdict, how, seen_ms: seenMs, ...this.draft(id) };
    this.outbox.put(message);
    this.drafts.delete(id);
    this.replay();
    const next = this.next(id);
    if (!this.trail.includes(id)) this.trail.push(id);
    this.upcoming = this.upcoming.filter((row) => row !== id);
    this.current = next;
    this.said = { kind: "label", row_id: id, verdict };
    return true;
  }

  // The label that could be suggested for similar events: the last that says malicious or benign.
  lastLesson() {
    return this.past.findLast((label) => ["malicious", "benign", "false_alarm"].includes(label.verdict)) ?? null;
  }

  propagate(label, rowIds, seenMs) {
    const sent = this.outbox.put({ kind: "propagate", row_id: label.row_id, row_ids: rowIds, seen_ms: seenMs });
    this.said = { kind: "propagate", n: rowIds.length, verdict: label.verdict, batch: sent.client_id };
  }

  undoBatch() {
    const { batch } = this.said;
    if (!this.outbox.withdraw(batch)) this.outbox.put({ kind: "undo_batch", batch_id: batch });
    this.said = { kind: "undo_batch" };
    return true;
  }

  undo() {
    if (this.said?.kind === "propagate") return this.undoBatch();
    const last = this.past.at(-1);
    if (!last) return false;
    if (!this.outbox.withdraw(last.client_id)) {
      this.outbox.put({ kind: "undo", row_id: last.row_id, undo_of: last.client_id });
    }
    this.replay();
    this.said = { kind: "undo", row_id: last.row_id, verdict: last.verdict };
    if (!this.items.has(last.row_id)) return true;
    if (!this.given.has(last.row_id)) {
      const at = Math.max(0, this.upcoming.indexOf(this.current));
      this.trail = this.trail.filter((row) => row !== last.row_id);
      this.upcoming = this.upcoming.filter((row) => row !== last.row_id);
      this.upcoming.splice(at, 0, last.row_id);
    }
    this.current = last.row_id;
    return true;
  }
}

// row_id → places gained (positive: now earlier), or "new"; empty the first time.
function movement(before, after) {
  const was = new Map(before.map((id, place) => [id, place]));
  const moved = new Map();
  if (!before.length) return moved;
  const gone = before.filter((id) => !after.includes(id)).map((id) => was.get(id));
  for (const [place, id] of after.entries()) {
    const left = gone.filter((other) => other < was.get(id)).length; // labelled ones ahead of it do not count
    const gained = was.has(id) ? was.get(id) - left - place : "new";
    if (gained) moved.set(id, gained);
  }
  return moved;
}
