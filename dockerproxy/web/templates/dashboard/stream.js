// The stream of events from the proxy, begun anew whenever it ends. A page that nobody sees lets go of it.

const FIRST_PAUSE = 1000; // milliseconds; it doubles up to the longest
const LONGEST_PAUSE = 15000;

/** What a report has under a name that somebody else chose: every object has a `constructor`, without being told. */
export function own(object, name) {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

export class Stream {
  /**
   * handlers: history(data), report(data), state("live" | "paused" | "lost"), forbidden(), when the session is over
   */
  constructor(handlers) {
    this.handlers = handlers;
    this.pause = FIRST_PAUSE;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.stop("paused");
      else this.start();
    });
  }

  start() {
    this.close();
    this.source = new EventSource("live");
    for (const name of ["history", "report"]) {
      this.source.addEventListener(name, (event) => this.take(name, event.data));
    }
    this.source.addEventListener("error", () => this.failed());
  }

  stop(state) {
    this.close();
    this.handlers.state(state);
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  take(name, data) {
    this.pause = FIRST_PAUSE;
    this.handlers.state("live");
    this.handlers[name](JSON.parse(data));
  }

  /** An EventSource does not tell why it ended, so ask. */
  async failed() {
    this.stop("lost");
    const pause = this.pause;
    this.pause = Math.min(2 * pause, LONGEST_PAUSE);
    this.timer = setTimeout(() => this.tryAgain(), pause);
  }

  async tryAgain() {
    try {
      const answer = await fetch("session", { cache: "no-store" });
      if (answer.ok && (await answer.json()).login === "needed") return this.handlers.forbidden();
    } catch {
      return this.failed(); // the proxy is not there
    }
    if (!document.hidden) this.start();
  }
}
