// Python's data and the element to draw in → the triage view. Called again each time the data change.

import { DEPARTURE } from "./departure.js";
import { Desk } from "./desk.js";
import { EventView } from "./event_view.js";
import { HelpView } from "./help_view.js";
import { KEYS } from "./key_map.js";
import { ConnectionNotice, Keys, VERDICT_KEYS } from "./keys.js";
import { h } from "./nodes.js";
import { Outbox } from "./outbox.js";
import { QueueView } from "./queue_view.js";
import { Sight } from "./sight.js";
import { SimilarView } from "./similar_view.js";
import { helpLines, StripView } from "./strip_view.js";

const VIEWS = new WeakMap();
const ASK_SOON_MS = 300;
const ASK_LATER_MS = 700;
const HEARTBEAT_MS = 120_000; // a lease is five times as long
const AWAY_MS = 900_000;

class Triage {
  constructor(root, component) {
    this.component = component;
    const { run, by } = component.data;
    this.of = scope(component.data);
    KEYS.choose(by);
    const prefix = `socml:label:${encodeURIComponent(run)}:${encodeURIComponent(by)}:`;
    this.outbox = new Outbox(prefix, () => this.report(), () => this.draw());
    this.desk = new Desk(this.outbox);
    const commands = {
      say: (verdict, at) => this.say(verdict, "click", at),
      settle: () => this.draw(),
      undo: () => this.act(() => this.desk.undo()),
      fold: (name) => this.fold(name),
      help: () => this.help(!this.helpView.open),
      similar: () => this.similar(),
    };
    this.similarView = new SimilarView({
      ask: () => this.act(() => {}),
      apply: (label, ids, at) => this.propagate(label, ids, at),
      close: () => this.similar(),
    });
    this.strip = new StripView(commands);
    this.queue = new QueueView((id) => this.act(() => this.desk.select(id)), (step) => this.act(() => this.desk.move(step)));
    this.event = new EventView(commands);
    this.sight = new Sight((enough) => this.event.node.setAttribute("aria-busy", String(!enough)));
    this.similarSight = new Sight((enough) => this.similarView.node.setAttribute("aria-busy", String(!enough)));
    this.helpView = new HelpView({ lines: helpLines, close: () => this.help(false), changed: () => this.newKeys() });
    this.node = h(
      "div",
      { class: "triage" },
      this.strip.node,
      h("div", { class: "panes" }, this.queue.node, this.event.node),
      this.helpView.node,
      this.similarView.node,
    );
    root.append(this.node);
    this.keys = new Keys({ knows: (letter) => letter in this.actions(), run: (letter, at) => this.actions()[letter](at) });
    this.notice = new ConnectionNotice(() => {
      this.outbox.away = true;
      this.draw();
    });
    this.onResize = () => this.fit();
    window.addEventListener("resize", this.onResize);
    DEPARTURE.arrive();
    this.lastActive = Date.now();
    this.pulse = setInterval(() => this.stayHere(), HEARTBEAT_MS);
    this.first = true;
  }

  actions() {
    const only = (run) => (at) => !this.helpView.open && !this.similarView.open && run(at); // they cover the event
    const verdicts = Object.entries(VERDICT_KEYS).map(([letter, verdict]) => [
      letter,
      only((at) => this.say(verdict, "key", at)),
    ]);
    const writes = {
      ...Object.fromEntries(verdicts),
      z: only(() => this.act(() => this.desk.undo())),
      n: only(() => this.event.note?.focus()),
      p: () => !this.helpView.open && this.similar(),
    };
    return {
      ...(this.component.data.may_write ? writes : {}),
      j: only(() => this.act(() => this.desk.move(1))),
      k: only(() => this.act(() => this.desk.move(-1))),
      "/": only(() => fieldOf(this.component.data.words["filter.title"])?.focus()),
      w: only(() => this.fold("why")),
      e: only(() => this.fold("raw")),
      h: () => !this.similarView.open && this.help(!this.helpView.open),
    };
  }

  take(component) {
    this.component = component;
    const again = scope(component.data) === this.of;
    if (!again) return false;
    if (component.data.lang !== this.lang) this.desk.evidence.clear();
    this.lang = component.data.lang;
    this.merged = component.data.answers;
    this.desk.merge(component.data, this.first);
    this.first = false;
    this.asked = false;
    this.fit();
    this.draw();
    this.ask();
    return true;
  }

  say(verdict, how, at) {
    if (!this.sight.isEnough(at)) return this.tooFast();
    return this.act(() => this.desk.label(verdict, how, this.sight.seenMs(at)));
  }

  propagate(label, ids, at) {
    if (!this.similarSight.isEnough(at)) return this.tooFast();
    const seenMs = this.similarSight.seenMs(at);
    this.similarView.hide();
    this.act(() => this.desk.propagate(label, ids, seenMs));
    return this.event.node.focus({ preventScroll: true });
  }

  // A key for what was not seen does nothing, and says so.
  tooFast() {
    this.lastActive = Date.now();
    this.desk.tooFast = true;
    this.strip.draw(this.desk, this.component.data);
    this.strip.flash();
  }

  act(change) {
    this.lastActive = Date.now();
    this.desk.tooFast = false;
    change();
    clearTimeout(this.timer); // while keys come, the labels' own reports ask too
    this.timer = 0;
    this.asked = false;
    this.draw();
    this.ask();
  }

  fold(name) {
    this.event.open[name] = !this.event.open[name];
    this.draw();
  }

  help(open) {
    this.helpView.draw(this.component.data, open);
    this.look();
    if (!open) this.event.node.focus({ preventScroll: true });
  }

  newKeys() {
    this.event.parts.begin("");
    this.strip.lang = "";
    this.draw();
  }

  similar() {
    if (this.similarView.open) this.similarView.hide();
    else {
      const label = this.desk.lastLesson();
      if (!label) return;
      this.similarView.show(label);
    }
    this.act(() => {});
    if (!this.similarView.open) this.event.node.focus({ preventScroll: true });
  }

  // While somebody is there, the events on this screen are nobody else's.
  stayHere() {
    const away = document.hidden || Date.now() - this.lastActive > AWAY_MS;
    if (!away && !this.outbox.inFlight()) this.report();
  }

  draw() {
    const { data } = this.component;
    const before = this.event.shown;
    this.strip.draw(this.desk, data);
    this.queue.draw(this.desk, data);
    this.event.draw(this.desk, data);
    this.similarView.draw(this.desk, data);
    this.queue.showSelected();
    this.look();
    if (this.event.shown !== before) this.newOnScreen();
  }

  look() {
    const least = this.component.data.least_seen_ms;
    const covered = this.helpView.open || this.similarView.open;
    this.sight.look(this.event.whole && !covered ? this.event.shown : null, least);
    this.similarSight.look(this.similarView.whole, least);
  }

  newOnScreen() {
    const id = this.event.shown;
    clearTimeout(this.addressTimer); // browsers refuse an address that changes many times a second
    this.addressTimer = setTimeout(() => keepInAddress("event", id), 600); // nor may it cost a frame between two keys
  }

  // The rest of the window's height, so that headline and keys never scroll away.
  fit() {
    const top = this.node.getBoundingClientRect().top + document.documentElement.scrollTop;
    const least = window.innerWidth > 700 ? 460 : window.innerHeight - 24; // on a telephone a screen of its own
    this.node.style.height = `${Math.max(least, window.innerHeight - Math.max(top, 0) - 12)}px`;
  }

  // Asks for what is not here yet: soon for what is on screen, unhurried for what comes after.
  ask() {
    const { desk } = this;
    const similar = this.similarView.waiting();
    const waiting = similar || desk.lacking() || desk.explaining.length || desk.wanted().length || desk.unfinished().length;
    if (this.asked || this.timer || !waiting) return;
    const urgent = similar || desk.lacking() || desk.wanted()[0] === desk.current || desk.unfinished()[0] === desk.current;
    this.timer = setTimeout(
      () => {
        this.timer = 0;
        this.asked = true;
        if (!this.outbox.isSending()) this.report();
      },
      urgent ? ASK_SOON_MS : ASK_LATER_MS,
    );
  }

  report() {
    const remaining = DEPARTURE.remaining();
    clearTimeout(this.later);
    if (remaining > 0) {
      this.later = setTimeout(() => this.report(), remaining);
      return;
    }
    this.component.setStateValue("outbox", {
      messages: this.outbox.list(),
      holds: this.desk.holds(),
      wanted: this.desk.wanted(),
      unfinished: this.desk.unfinished(),
      scope: this.of,
      lang: this.lang,
      similar: this.similarView.query,
      on_screen: this.desk.current ?? "",
      reserve: this.desk.reserve,
      merged: this.merged,
      tick: Date.now(), // the same list sent again must still reach Python
    });
  }

  close() {
    this.keys.close();
    this.sight.close();
    this.similarSight.close();
    this.notice.close();
    this.outbox.close();
    clearInterval(this.pulse);
    clearTimeout(this.timer);
    clearTimeout(this.later);
    clearTimeout(this.addressTimer);
    window.removeEventListener("resize", this.onResize);
    this.node.remove();
  }
}

// The field above that has this name; it is Streamlit's, the name is ours.
function fieldOf(name) {
  return [...document.querySelectorAll("input[aria-label]")].find((field) => field.getAttribute("aria-label") === name);
}

function scope(data) {
  return `${data.run} ${data.by}`;
}

function keepInAddress(name, value) {
  const address = new URL(window.location.href);
  if (!value || address.searchParams.get(name) === value) return;
  address.searchParams.set(name, value);
  window.history.replaceState(window.history.state, "", address);
}

export default function (component) {
  const root = component.parentElement;
  let view = VIEWS.get(root);
  if (!view?.take(component)) {
    view?.close();
    view = new Triage(root, component);
    VIEWS.set(root, view);
    view.take(component);
  }
  return () => {
    VIEWS.get(root)?.close();
    VIEWS.delete(root);
  };
}
