// The dashboard: it takes reports from the stream and shows each in all parts of the page.

import { Changes } from "./changes.js";
import { setClock } from "./clock.js";
import { Containers } from "./containers.js";
import { Trail } from "./curves.js";
import { byId, setAttribute, setText } from "./dom.js";
import { announce } from "./messages.js";
import { Overview } from "./overview.js";
import { Routes } from "./routes.js";
import { logIn } from "./session.js";
import { own, Stream } from "./stream.js";

const WORDS = { live: ["live", "good"], paused: ["not in view", "faint"], lost: ["connection lost, trying again", "bad"] };

class Dashboard {
  constructor() {
    this.overview = new Overview();
    this.routes = new Routes();
    this.containers = new Containers();
    this.changes = new Changes();
    this.trails = new Map();
    this.total = new Trail();
    this.tick = 0;
    this.linkState = "";
  }

  history({ tick, proxy, routes }) {
    this.tick = tick;
    this.total = new Trail(proxy);
    this.trails = new Map(Object.entries(routes).map(([name, history]) => [name, new Trail(history)]));
  }

  report(report) {
    const begin = performance.now();
    setClock(report.proxy);
    this.move(report.rates);
    byId("board").hidden = false;
    this.overview.show(report, this.total);
    this.routes.show(report, this.trails);
    this.containers.show(report.discovery);
    this.changes.show(report);
    performance.clearMeasures("report"); // only the last one is kept
    performance.measure("report", { start: begin, detail: { rows: this.routes.drawn } });
  }

  /** Let the curves go on by as many seconds as have passed at the proxy. */
  move({ tick, proxy, routes }) {
    const passed = tick - this.tick;
    this.tick = tick;
    if (passed <= 0) return;
    this.total.add(proxy, passed - 1);
    for (const name of Object.keys(routes)) if (!this.trails.has(name)) this.trails.set(name, new Trail());
    for (const [name, trail] of this.trails) {
      trail.add(own(routes, name), passed - 1);
      if (trail.quiet) this.trails.delete(name);
    }
  }

  link(state) {
    if (state === this.linkState) return;
    const [words, kind] = WORDS[state];
    setText(byId("page-state"), words);
    setAttribute(byId("page-state"), "class", `pill ${kind}`);
    document.body.classList.toggle("stale", state !== "live");
    if (state === "lost" && this.linkState === "live") announce(["The connection to the proxy is lost"]);
    if (state === "live" && this.linkState === "lost") announce(["The proxy is connected again"]);
    this.linkState = state;
  }
}

logIn(() => {
  const dashboard = new Dashboard();
  const stream = new Stream({
    history: (data) => dashboard.history(data),
    report: (data) => dashboard.report(data),
    state: (state) => dashboard.link(state),
    forbidden: () => location.reload(),
  });
  stream.start();
});
