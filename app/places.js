// an address and the next → whether that is a place to go back to; the address also says in which language the page is.

import { speak } from "./language.js";

const TAKEN_AS_GIVEN = new Set(["lang", "by", "dataset", "run"]); // a page that is opened without them names them itself

// Whether an address only names what the one before left to the page: going back must not stop there once more.
export function isSamePlace(before, after) {
  const said = [...before.searchParams];
  const isKept = ([name, value]) => after.searchParams.getAll(name).includes(value);
  const isGiven = (name) => before.searchParams.has(name) || TAKEN_AS_GIVEN.has(name);
  return before.pathname === after.pathname && said.every(isKept) && [...after.searchParams.keys()].every(isGiven);
}

// The page of the app that a click leads to, until the address says so; what is said meanwhile is of that page already.
class Going {
  constructor() {
    this.path = "";
    document.addEventListener("click", (event) => (this.path = this.leadsTo(event)), true);
    for (const name of ["keydown", "popstate"]) window.addEventListener(name, () => (this.path = ""), true);
  }

  leadsTo({ target, ctrlKey, metaKey, shiftKey, altKey }) {
    const link = target.closest?.("a[href]");
    const isElsewhere = !link || link.target || link.origin !== location.origin || link.pathname === location.pathname;
    return isElsewhere || ctrlKey || metaKey || shiftKey || altKey ? "" : link.pathname;
  }

  isAhead(after) {
    if (after.pathname === this.path) this.path = "";
    return this.path !== "" && after.pathname === location.pathname;
  }
}

export function watch(history) {
  const going = new Going();
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  history.pushState = (state, title, address) => {
    const after = new URL(address ?? "", location.href);
    if (going.isAhead(after)) return;
    const add = isSamePlace(new URL(location.href), after) && after.href !== location.href ? replace : push;
    add(state, title, address);
    speak();
  };
  history.replaceState = (...change) => {
    replace(...change);
    speak();
  };
  window.addEventListener("popstate", speak);
  speak();
}
