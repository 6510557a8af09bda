// a label or an undo → kept here and in the browser's storage until the server says it has it.
//
// Sending is idempotent: the whole list goes out each time, and the store keeps one row a client_id. So a
// lost run, a killed server or a closed page costs nothing but time.

const FIRST_SEND_MS = 60;
const NEXT_SEND_MS = 600; // from one sending to the next: a burst of keys leaves as few batches, each of which re-ranks
const RETRY_MS = [4000, 4000, 8000, 8000]; // longer than the slowest run, or a resend would interrupt it
const HEALTH_EVERY_MS = 2000;
const OVERDUE_MS = 1500;

export class Outbox {
  constructor(prefix, send, changed) {
    this.prefix = prefix;
    this.send = send;
    this.changed = changed;
    this.away = false;
    this.durable = true;
    this.sent = new Set();
    this.sentAt = 0; // of what is not acknowledged
    this.lastSentAt = 0;
    this.retries = 0;
    this.timer = 0;
    this.messages = new Map(this.stored().map((message) => [message.client_id, message]));
    this.watch = setInterval(() => this.look(), HEALTH_EVERY_MS);
  }

  stored() {
    const found = [];
    try {
      for (let i = 0; i < localStorage.length; i += 1) {
        const key = localStorage.key(i);
        if (key.startsWith(this.prefix)) found.push(JSON.parse(localStorage.getItem(key)));
      }
    } catch {
      this.durable = false;
    }
    return found.sort((a, b) => a.made_at - b.made_at || a.turn - b.turn);
  }

  list() {
    return [...this.messages.values()];
  }

  put(message) {
    const kept = { ...message, client_id: newId(), made_at: Date.now(), turn: this.messages.size };
    this.messages.set(kept.client_id, kept);
    try {
      localStorage.setItem(this.prefix + kept.client_id, JSON.stringify(kept));
    } catch {
      this.durable = false;
    }
    this.soon();
    return kept;
  }

  // True if the message was still here and had never left, so that there is nothing to take back elsewhere.
  withdraw(clientId) {
    if (!this.messages.has(clientId) || this.sent.has(clientId)) return false;
    this.forget(clientId);
    return true;
  }

  forget(clientId) {
    this.messages.delete(clientId);
    this.sent.delete(clientId);
    try {
      localStorage.removeItem(this.prefix + clientId);
    } catch {
      this.durable = false;
    }
  }

  acknowledge(clientIds) {
    for (const id of clientIds) this.forget(id);
    if (clientIds.length) {
      this.away = false;
      this.retries = 0;
      this.sentAt = 0;
    }
    if (this.messages.size && !this.sentAt) this.soon();
  }

  soon() {
    if (this.isSending()) return;
    const pause = Math.max(FIRST_SEND_MS, this.lastSentAt + NEXT_SEND_MS - Date.now());
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.flush();
    }, pause);
  }

  // Whether a report is under way, or leaves by itself.
  isSending() {
    return this.timer || this.inFlight();
  }

  inFlight() {
    return this.sentAt && Date.now() - this.sentAt < RETRY_MS[Math.min(this.retries, RETRY_MS.length - 1)];
  }

  flush() {
    if (!this.messages.size) return;
    this.sentAt = this.lastSentAt = Date.now();
    for (const id of this.messages.keys()) this.sent.add(id);
    this.send();
  }

  async look() {
    const overdue = this.messages.size && this.sentAt && Date.now() - this.sentAt > OVERDUE_MS;
    if (!overdue && !this.away) return;
    const wasAway = this.away;
    this.away = !(await serverAnswers());
    if (wasAway !== this.away) this.changed();
    if (this.away || !this.messages.size || (!wasAway && this.inFlight())) return;
    this.retries = wasAway ? 0 : this.retries + 1;
    this.flush();
  }

  close() {
    clearInterval(this.watch);
    clearTimeout(this.timer);
  }
}

async function serverAnswers() {
  try {
    const answer = await fetch(new URL("_stcore/health", document.baseURI), { cache: "no-store" });
    return answer.ok;
  } catch {
    return false;
  }
}

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID(); // not there on plain http away from this machine
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}
