// A click on the link to another page → that page, and not the triage page once more.
//
// A report names the page it comes from. One that leaves after the click calls back who has just gone, as late as the
// server is busy; so none leaves before the other page is here. What it would say is kept, and sent when this page is back.

const HELD_MS = 1500; // longer than it takes to follow a link within the page
const GONE_MS = 60_000; // who is still here by then did not leave

class Departure {
  constructor() {
    this.until = 0;
    document.addEventListener("click", (event) => this.leave(event), true);
  }

  leave({ target, ctrlKey, metaKey, shiftKey, altKey }) {
    const link = target.closest?.("a[href]");
    if (!link || link.target || link.download || link.origin !== location.origin) return;
    if (ctrlKey || metaKey || shiftKey || altKey) return; // it opens elsewhere, and this page stays
    this.until = Date.now() + (link.pathname === location.pathname ? HELD_MS : GONE_MS);
  }

  // A triage page is open: what was clicked before leads here.
  arrive() {
    this.until = 0;
  }

  remaining() {
    return this.until - Date.now();
  }
}

export const DEPARTURE = new Departure();
