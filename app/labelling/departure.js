// A click on the link to another page → that page, and not the triage page once more.
//
// A report names the page it comes from. One that leaves after the click calls back who has just gone, as late as the
// server is busy; so none leaves before the other page is here. What it would say is kept, and sent when this page is back,
// be it that the way back is taken before the other page came.

const HELD_MS = 1500; // longer than it takes to follow a link within the page
const GONE_MS = 60_000; // who is still here by then did not leave

class Departure {
  constructor() {
    this.until = 0;
    this.from = "";
    document.addEventListener("click", (event) => this.leave(event), true);
    for (const back of ["popstate", "pageshow"]) window.addEventListener(back, () => this.stay());
  }

  leave({ target, ctrlKey, metaKey, shiftKey, altKey }) {
    const link = target.closest?.("a[href]");
    if (!link || link.origin !== location.origin) return;
    // It opens elsewhere or is stored, and this page stays.
    if ((link.target && link.target !== "_self") || link.hasAttribute("download")) return;
    if (ctrlKey || metaKey || shiftKey || altKey) return;
    this.from = location.pathname;
    this.until = Date.now() + (link.pathname === location.pathname ? HELD_MS : GONE_MS);
  }

  // A triage page is open: what was clicked before leads here.
  arrive() {
    this.until = 0;
  }

  // Who went back to the page that the link was on did not leave.
  stay() {
    if (location.pathname === this.from) this.until = Math.min(this.until, Date.now() + HELD_MS);
  }

  // For how long no report may leave; then it is to be asked again.
  remaining() {
    return Math.min(this.until - Date.now(), HELD_MS);
  }
}

export const DEPARTURE = new Departure();
