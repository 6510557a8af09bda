// the rows of a day and what was said of them → which row is on screen, what follows, what a key says.
//
// No drawing here. The row on screen never changes but by the analyst's own key or click.

import { fits, parse } from "./filter.js";

export const ROLES = ["all", "hosts", "accounts", "servers", "outside"];
const OF_ROLE = {
  hosts: (role) => role === "source inside" || role.startsWith("host"),
  accounts: (role) => role.startsWith("account"),
  servers: (role) => role.startsWith("destination"),
  outside: (role) => role === "source outside",
};

export class Day {
  constructor(outbox, drafts) {
    this.outbox = outbox;
    this.drafts = drafts; // row → {note, reason, family}; survives a reload
    this.rows = new Map();
    this.order = [];
    this.current = null;
    this.reason = ""; // the family that is judged alone, empty for the whole row
    this.opened = new Set(); // groups shown one by one
    this.role = "all";
    this.filter = "";
    this.said = null; // the last thing done
    this.tooFast = false;
  }

  merge(data, wanted) {
    const sameDay = this.day === data.day && this.dataset === data.dataset && this.queue === data.queue;
    this.day = data.day;
    this.dataset = data.dataset;
    this.queue = data.queue;
    this.rows = new Map(data.rows.map((row) => [row.id, row]));
    // What was read keeps its place while the day is on screen; what is new comes where the ranking has it.
    const ranked = data.rows.map((row) => row.id);
    this.order = sameDay ? [...this.order.filter((id) => this.rows.has(id)), ...ranked.filter((id) => !this.order.includes(id))] : ranked;
    this.outbox.acknowledge(data.acked.filter((id) => this.outbox.messages.has(id)));
    this.history = data.history;
    this.replay();
    if (wanted && this.rows.has(wanted)) this.current = wanted;
    if (!this.current || !this.rows.has(this.current)) this.current = this.firstOpen();
    if (!sameDay) this.reason = "";
  }

  // What stands on each row: what the store holds, then what it has not acknowledged yet.
  replay() {
    this.verdicts = new Map();
    this.reasons = new Map();
    for (const [id, row] of this.rows) {
      if (row.verdict) this.verdicts.set(id, row.verdict);
      for (const [family, verdict] of Object.entries(row.judged)) this.reasons.set(`${id} ${family}`, verdict);
    }
    this.past = [...this.history];
    const known = new Set(this.past.map((done) => done.client_id));
    for (const message of this.outbox.list()) {
      if (message.kind === "undo") {
        const done = this.past.find((one) => one.client_id === message.undo_of);
        this.past = this.past.filter((one) => one !== done);
        if (done) this.forget(done);
      } else if (message.kind === "verdict" && !known.has(message.client_id)) {
        this.past.push(message);
        this.stand(message);
      }
    }
  }

  stand({ row_ids, verdict, family }) {
    for (const id of row_ids) {
      if (family) this.reasons.set(`${id} ${family}`, verdict);
      else this.verdicts.set(id, { verdict, pending: true });
    }
  }

  forget({ row_ids, family }) {
    for (const id of row_ids) {
      if (family) this.reasons.delete(`${id} ${family}`);
      else this.verdicts.delete(id);
    }
  }

  fitsRole(row, role = this.role) {
    return role === "all" || (OF_ROLE[role] ?? (() => true))(row.role);
  }

  // Rows that the tab and the filter leave, in order.
  visible() {
    const terms = parse(this.filter);
    return this.order.filter((id) => {
      const row = this.rows.get(id);
      return this.fitsRole(row) && fits(row, this.verdicts.get(id), terms);
    });
  }

  // Those that are drawn: of a group that is closed, only the first.
  list() {
    const visible = this.visible();
    const leaders = new Set();
    return visible.filter((id) => {
      const { group } = this.rows.get(id);
      if (this.opened.has(group)) return true;
      if (leaders.has(group)) return false;
      leaders.add(group);
      return true;
    });
  }

  members(group) {
    return this.visible().filter((id) => this.rows.get(id).group === group);
  }

  // The rows that a verdict on one is for: a closed group is judged together.
  together(id) {
    const { group } = this.rows.get(id);
    if (this.opened.has(group)) return [id];
    const members = this.members(group);
    return members.includes(id) ? [id, ...members.filter((other) => other !== id && !this.verdicts.has(other))] : [id];
  }

  firstOpen() {
    const list = this.list();
    return list.find((id) => !this.verdicts.has(id)) ?? list[0] ?? null;
  }

  move(step) {
    const list = this.list();
    const at = list.indexOf(this.leaderOf(this.current, list));
    if (list.length) this.select(list[Math.min(list.length - 1, Math.max(0, at + step))]);
  }

  leaderOf(id, list) {
    if (list.includes(id) || !this.rows.has(id)) return id;
    const { group } = this.rows.get(id);
    return list.find((other) => this.rows.get(other).group === group) ?? id;
  }

  select(id) {
    if (!this.rows.has(id)) return;
    if (id !== this.current) this.reason = "";
    this.current = id;
  }

  stepReason(step) {
    const families = (this.rows.get(this.current)?.reasons ?? []).map((reason) => reason.family);
    const at = families.indexOf(this.reason) + step;
    this.reason = families[(at + families.length + 1) % (families.length + 1)] ?? "";
  }

  toggleGroup(id) {
    const row = this.rows.get(id);
    if (!row) return;
    if (this.opened.has(row.group)) this.opened.delete(row.group);
    else this.opened.add(row.group);
  }

  say(verdict, how, seenMs) {
    const id = this.current;
    if (!id || !this.rows.has(id)) return false;
    const family = this.reason;
    const row_ids = family ? [id] : this.together(id);
    const sent = this.outbox.put({
      kind: "verdict", day: this.day, dataset: this.dataset, queue: this.queue, row_ids, verdict, family, how, seen_ms: seenMs, ...this.drafts.of(id),
    });
    this.said = { kind: "verdict", client_id: sent.client_id, id, n: row_ids.length, verdict, family };
    this.drafts.drop(id);
    this.replay();
    if (family) this.reason = "";
    else this.select(this.following(id) ?? id);
    return true;
  }

  // The next open row: of another campaign, if there is one.
  following(id) {
    const list = this.list();
    const after = list.slice(list.indexOf(this.leaderOf(id, list)) + 1);
    const open = [...after, ...list].filter((other) => other !== id && !this.verdicts.has(other));
    const done = this.campaign(id);
    return open.find((other) => this.campaign(other) !== done) ?? open[0] ?? null;
  }

  campaign(id) {
    const first = this.rows.get(id)?.reasons[0];
    return first ? `${first.family} ${first.about}` : id;
  }

  undo() {
    const last = this.past.at(-1);
    if (!last) return false;
    if (!this.outbox.withdraw(last.client_id)) this.outbox.put({ kind: "undo", undo_of: last.client_id, day: this.day, dataset: this.dataset });
    this.forget(last);
    this.replay();
    const [id] = last.row_ids;
    if (last.note || last.reason) this.drafts.put(id, { note: last.note ?? "", reason: last.reason ?? "" });
    this.said = { kind: "undo", id, verdict: last.verdict, n: last.row_ids.length };
    if (this.rows.has(id)) this.current = id;
    this.reason = last.family ?? "";
    return true;
  }

  open() {
    return this.visible().filter((id) => !this.verdicts.has(id)).length;
  }
}

// Notes and reasons that were typed and not yet given: kept in the browser's storage.
export class Drafts {
  constructor(prefix, storage) {
    this.prefix = prefix;
    this.storage = storage;
  }

  of(id) {
    try {
      return JSON.parse(this.storage.getItem(this.prefix + id)) ?? { note: "", reason: "" };
    } catch {
      return { note: "", reason: "" };
    }
  }

  put(id, change) {
    try {
      this.storage.setItem(this.prefix + id, JSON.stringify({ ...this.of(id), ...change }));
    } catch {
      // a browser that keeps nothing: the note lives as long as the page
    }
  }

  drop(id) {
    try {
      this.storage.removeItem(this.prefix + id);
    } catch {
      // as above
    }
  }
}
