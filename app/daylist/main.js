// Python's data and the element to draw in → the page Today. Called again each time the data change.

import { DEPARTURE } from "../labelling/departure.js";
import { HelpView } from "../labelling/help_view.js";
import { KEYS } from "../labelling/key_map.js";
import { ConnectionNotice, Keys, VERDICT_KEYS } from "../labelling/keys.js";
import { h } from "../labelling/nodes.js";
import { Outbox } from "../labelling/outbox.js";
import { Sight } from "../labelling/sight.js";
import { filtersOf, filtersText, read, written } from "./address.js";
import { Day, Drafts } from "./day.js";
import { DetailView } from "./detail_view.js";
import { Events } from "./events.js";
import { ListView } from "./list_view.js";
import { helpLines, TopView } from "./top_view.js";
import { ViewsView } from "./views_view.js";

const VIEWS = new WeakMap();
const ASK_MS = 60;
const AGAIN_MS = 700; // until what is being read is asked for again
const ADDRESS_MS = 250; // browsers refuse an address that changes many times a second
const USUAL = "most-anomalous"; // the queue that the address does not name
const GO = { t: "today", h: "hunt", c: "cases", l: "labels", m: "runs", d: "data" };

class TodayPage {
  constructor(root, component) {
    this.component = component;
    this.of = scope(component.data);
    KEYS.choose(component.data.by);
    const prefix = `socml:today:${encodeURIComponent(component.data.scope)}:`;
    this.outbox = new Outbox(prefix, () => this.report(), () => this.draw());
    this.day = new Day(this.outbox, new Drafts(`${prefix}draft:`.replace("socml:today:", "socml:draft:"), localStorage));
    this.events = new Events();
    this.wanted = read(location.search);
    this.day.role = this.wanted.role || "all";
    this.day.filter = this.wanted.q;
    this.events.filters = filtersOf(this.wanted.events);
    const commands = {
      say: (verdict, at) => this.say(verdict, "click", at),
      settle: () => this.draw(),
      select: (id) => this.act(() => this.day.select(id)),
      toggle: (id) => this.act(() => this.day.toggleGroup(id)),
      choose: (family) => this.act(() => (this.day.reason = this.day.reason === family ? "" : family)),
      undo: () => this.act(() => this.day.undo()),
      help: () => this.help(!this.helpView.open),
      role: (role) => this.act(() => (this.day.role = role), true),
      filter: (text) => this.act(() => (this.day.filter = text)),
      day: (day) => this.step(day),
      queue: (queue) => this.choose(queue),
      turn: (offset) => this.act(() => this.events.offsets.set(this.day.current, Math.max(0, offset))),
      filterEvents: (kind, column, value) => this.act(() => this.events.filter(kind, column, value)),
      unfilter: (kind, column, value) => this.act(() => this.events.unfilter(kind, column, value)),
      entity: (value) => this.link(`${this.component.data.entity_link}&entity=${encodeURIComponent(value)}`),
      link: (href) => this.link(href),
      openView: (state) => this.openView(state),
      changeView: (kind, what) => this.act(() => this.outbox.put({ kind, dataset: this.day.dataset, ...what })),
    };
    this.views = new ViewsView(commands, () => this.state());
    this.top = new TopView(commands, this.views.node);
    this.list = new ListView(commands);
    this.detail = new DetailView(commands);
    this.helpView = new HelpView({ lines: helpLines, close: () => this.help(false), changed: () => this.newKeys() });
    this.sight = new Sight((enough) => this.detail.node.setAttribute("aria-busy", String(!enough)));
    this.node = h("div", { class: "triage today" }, this.top.node, h("div", { class: "panes" }, this.list.node, this.detail.node), this.top.foot, this.helpView.node);
    root.append(this.node);
    this.keys = new Keys({ knows: (key) => this.going || key in this.actions(), run: (key, at, pressed) => this.press(key, at, pressed) });
    this.notice = new ConnectionNotice(() => {
      this.outbox.away = true;
      this.draw();
    });
    this.onResize = () => this.fit();
    this.onBack = () => this.back();
    window.addEventListener("resize", this.onResize);
    window.addEventListener("popstate", this.onBack);
    DEPARTURE.arrive();
  }

  actions() {
    const only = (run) => (at) => !this.helpView.open && !this.views.open && run(at); // they cover the row
    const writes = this.component.data.may_write;
    const verdicts = writes ? Object.entries(VERDICT_KEYS).map(([key, verdict]) => [key, only((at) => this.say(verdict, "key", at))]) : [];
    const move = (step) => only(() => this.act(() => this.day.move(step)));
    const fold = (open) => only(() => this.act(() => this.day.opened.has(this.day.rows.get(this.day.current)?.group) !== open && this.day.toggleGroup(this.day.current)));
    const { days } = this.component.data;
    const at = days.findIndex((day) => day.day === this.day.day);
    const stepDay = (by) => only(() => days[at + by] && this.step(days[at + by].day));
    return {
      ...Object.fromEntries(verdicts),
      ...(writes ? { z: only(() => this.act(() => this.day.undo())), n: only(() => this.detail.note?.focus()) } : {}),
      j: move(1), k: move(-1), down: move(1), up: move(-1),
      right: fold(true), left: fold(false),
      "[": stepDay(-1), "]": stepDay(1), "shift+left": stepDay(-1), "shift+right": stepDay(1),
      r: only(() => this.act(() => this.day.stepReason(1))),
      x: only(() => this.link(this.day.rows.get(this.day.current)?.case_link)),
      "/": only(() => this.top.input.focus()),
      v: () => !this.helpView.open && this.views.toggle(),
      g: only(() => (this.going = true)),
      h: () => this.help(!this.helpView.open),
      "?": () => this.help(!this.helpView.open),
    };
  }

  press(key, at, pressed) {
    if (this.going) {
      this.going = false;
      if (GO[pressed]) this.link(this.component.data.pages[GO[pressed]]);
      return;
    }
    this.actions()[key](at);
  }

  take(component) {
    this.component = component;
    if (scope(component.data) !== this.of) return false;
    const { data } = component;
    data.numbers = (n) => new Intl.NumberFormat(data.lang).format(n);
    this.events.take(data.events, data.lang);
    this.day.merge(data, this.wanted.row);
    this.wanted.row = "";
    this.draw();
    this.ask(AGAIN_MS);
    return true;
  }

  say(verdict, how, at) {
    if (!this.component.data.may_write) return;
    if (!this.sight.isEnough(at)) {
      this.day.tooFast = true;
      this.draw();
      this.top.flash();
      return;
    }
    this.act(() => this.day.say(verdict, how, this.sight.seenMs(at)));
  }

  act(change, push = false) {
    this.day.tooFast = false;
    change();
    if (!this.day.visible().includes(this.day.current)) this.day.current = this.day.firstOpen();
    this.draw();
    this.ask(ASK_MS);
    this.address(push);
  }

  step(day) {
    if (!this.component.data.days.some((one) => one.day === day)) return;
    this.wantedDay = day;
    this.address(true, { day, row: "" });
    this.report();
  }

  // Another way to choose the rows begins with its own first one.
  choose(queue) {
    this.wantedQueue = queue;
    this.day.current = null;
    this.address(true, { queue: queue === USUAL ? "" : queue, row: "" });
    this.report();
  }

  back() {
    const wanted = read(location.search);
    this.day.role = wanted.role || "all";
    this.day.filter = wanted.q;
    this.events.filters = filtersOf(wanted.events);
    this.wanted.row = wanted.row;
    if (wanted.day && wanted.day !== this.day.day) this.wantedDay = wanted.day;
    this.wantedQueue = wanted.queue || USUAL;
    this.report();
    this.draw();
  }

  // A link of this app goes through Streamlit's own navigation where there is one, so that nothing is loaded anew.
  link(href) {
    if (href) location.assign(new URL(href, document.baseURI));
  }

  // What a view holds of what is on screen, as the address holds it.
  state() {
    return { role: this.day.role === "all" ? "" : this.day.role, q: this.day.filter, events: filtersText(this.events.filters), queue: this.day.queue === USUAL ? "" : this.day.queue ?? "" };
  }

  openView({ role, q, events, queue }) {
    this.act(() => {
      this.day.role = role || "all";
      this.day.filter = q ?? "";
      this.events.show(filtersOf(events));
    }, true);
    if ((queue || USUAL) !== this.day.queue) this.choose(queue || USUAL);
  }

  help(open) {
    this.helpView.draw(this.component.data, open);
    this.look();
    if (!open) this.detail.node.focus({ preventScroll: true });
  }

  newKeys() {
    this.detail.parts.begin("");
    this.top.lang = "";
    this.draw();
  }

  draw() {
    const { data } = this.component;
    const before = this.detail.shown;
    this.top.draw(this.day, data);
    this.views.draw(data);
    this.list.draw(this.day, data);
    this.detail.draw(this.day, data, this.events);
    this.fit();
    this.look();
    if (before !== this.detail.shown) this.address(false);
  }

  look() {
    const seen = this.detail.whole && !this.helpView.open && !this.views.open ? `${this.detail.shown} ${this.day.reason}` : null;
    this.sight.look(seen, this.component.data.least_seen_ms);
  }

  address(push, change = {}) {
    const state = { dataset: this.component.data.dataset, day: this.day.day, row: this.day.current, ...this.state(), ...change };
    clearTimeout(this.addressTimer);
    const href = written(location.href, state);
    if (push && href !== location.href) window.history.pushState(window.history.state, "", href);
    else this.addressTimer = setTimeout(() => window.history.replaceState(window.history.state, "", written(location.href, state)), ADDRESS_MS);
  }

  // The rest of the window's height, so that headline and keys never scroll away.
  fit() {
    const top = this.node.getBoundingClientRect().top + document.documentElement.scrollTop;
    const least = window.innerWidth > 700 ? 480 : window.innerHeight - 24; // on a telephone a screen of its own
    this.node.style.height = `${Math.max(least, window.innerHeight - Math.max(top, 0) - 12)}px`;
  }

  ask(after) {
    const wanted = this.events.wanted(this.day);
    if (this.timer || !wanted.length) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      if (!this.outbox.inFlight()) this.report();
    }, after);
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
      events: this.events.wanted(this.day),
      dataset: this.component.data.dataset,
      day: this.wantedDay ?? this.day.day ?? "",
      queue: this.wantedQueue ?? this.day.queue ?? "",
      scope: this.of,
      tick: Date.now(), // the same list sent again must still reach Python
    });
  }

  close() {
    this.keys.close();
    this.sight.close();
    this.notice.close();
    this.views.close();
    this.outbox.close();
    for (const timer of [this.timer, this.later, this.addressTimer]) clearTimeout(timer);
    window.removeEventListener("resize", this.onResize);
    window.removeEventListener("popstate", this.onBack);
    this.node.remove();
  }
}

function scope(data) {
  return `${data.scope} ${data.by}`;
}

export default function (component) {
  const root = component.parentElement;
  let view = VIEWS.get(root);
  if (!view?.take(component)) {
    view?.close();
    view = new TodayPage(root, component);
    VIEWS.set(root, view);
    view.take(component);
  }
  return () => {
    VIEWS.get(root)?.close();
    VIEWS.delete(root);
  };
}
