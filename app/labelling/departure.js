// A click on the link to another page → that page, and not the triage page once more.
//
// A report names the page it comes from. One that leaves at the moment of the click calls back who has just gone, as
// late as the server is busy; so none is made before the other page is here, and who was called back is sent on.

const HELD_MS = 1500; // longer than a look: who is still here is sent on before a report can leave
const LOOK_MS = 1000;
const WATCHED_MS = 60_000;

class Departure {
  constructor() {
    this.view = null; // the triage view that is open
    this.clickedAt = 0;
    document.addEventListener("click", (event) => this.leave(event), true);
    window.addEventListener("popstate", () => clearTimeout(this.timer));
  }

  leave({ target, isTrusted, ctrlKey, metaKey, shiftKey, altKey }) {
    const link = target.closest?.("a[href]");
    if (!link || link.target || link.origin !== location.origin) return;
    if (ctrlKey || metaKey || shiftKey || altKey) return; // it opens elsewhere, and this page stays
    this.clickedAt = Date.now();
    if (!isTrusted) return;
    clearTimeout(this.timer);
    this.watch(link.pathname, Date.now() + WATCHED_MS);
  }

  watch(path, until) {
    this.timer = setTimeout(() => {
      this.sendOn(path);
      if (Date.now() < until) this.watch(path, until);
    }, LOOK_MS);
  }

  // A click that is made here counts as one: no report leaves for a while again.
  sendOn(path) {
    if (!this.view || location.pathname === path) return;
    [...document.querySelectorAll("a[href]")].find((link) => link.pathname === path)?.click();
  }

  remaining() {
    return this.clickedAt + HELD_MS - Date.now();
  }
}

export const DEPARTURE = new Departure();
