// A click on the link to another page → that page, and not the triage page once more.
//
// A report names the page it comes from. One that leaves at the moment of the click calls back who has just gone;
// so none is made for a while, and who was called back is sent on.

const SETTLED_MS = 1500;

class Departure {
  constructor() {
    this.view = null; // the triage view that is open
    this.clickedAt = 0;
    document.addEventListener("click", (event) => this.leave(event), true);
    window.addEventListener("popstate", () => clearTimeout(this.timer));
  }

  leave({ target, isTrusted }) {
    const link = target.closest?.("a[href]");
    if (!link || link.target || link.origin !== location.origin) return;
    this.clickedAt = Date.now();
    if (!isTrusted) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.sendOn(link.pathname), SETTLED_MS);
  }

  sendOn(path) {
    if (!this.view || location.pathname === path) return;
    [...document.querySelectorAll("a[href]")].find((link) => link.pathname === path)?.click();
  }

  remaining() {
    return this.clickedAt + SETTLED_MS - Date.now();
  }
}

const DEPARTURE = new Departure();
