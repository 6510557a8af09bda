// what is drawn → for how long the analyst could see all of it, without a break.
//
// A verdict belongs to an event that was seen: less than `least` counts as a key that came too early, and the
// store refuses it too. Times are those of the press itself, so that a slow page does not make a press look late.

export class Sight {
  constructor(changed) {
    this.changed = changed; // told whether it was seen for long enough
    this.least = Infinity;
    this.what = null;
    this.since = null;
    this.onVisibility = () => this.begin();
    document.addEventListener("visibilitychange", this.onVisibility);
    changed(false);
  }

  // After each drawing: what is on screen in full, null while a part of it is missing or covered.
  look(what, least) {
    this.least = least;
    if (what === this.what) return;
    this.what = what;
    this.begin();
  }

  begin() {
    const turn = (this.turn = {});
    this.since = null;
    clearTimeout(this.timer);
    this.changed(false);
    if (this.what === null || document.hidden) return;
    requestAnimationFrame(() =>
      afterFrame(() => {
        if (turn !== this.turn || document.hidden) return; // the frame that follows is the first that shows it
        this.since = performance.now();
        this.timer = setTimeout(() => this.changed(true), this.least + 1);
      }),
    );
  }

  // Whole milliseconds up to `at`, the time of a key or a click.
  seenMs(at) {
    return this.since === null ? 0 : Math.max(0, Math.floor(at - this.since));
  }

  isEnough(at) {
    return this.seenMs(at) >= this.least;
  }

  close() {
    this.turn = null;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.onVisibility);
  }
}

// Before what else waits: an answer of the server that is taken in first would look like a late frame.
function afterFrame(run) {
  if (globalThis.scheduler?.postTask) globalThis.scheduler.postTask(run, { priority: "user-blocking" });
  else setTimeout(run);
}
