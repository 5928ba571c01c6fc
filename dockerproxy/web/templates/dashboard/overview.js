// The figures of the whole proxy, and what needs a look.

import { leftOut } from "./containers.js";
import { Curve } from "./curves.js";
import { byId, make, setAttribute, setChildren, setText } from "./dom.js";
import { counted, duration, latency, moment, percent, rate, whole } from "./format.js";
import { isBuiltin, overridden } from "./route_row.js";

const ENGINE = { connected: "good", reconnecting: "bad", disabled: "faint" };

export class Overview {
  constructor() {
    this.traffic = new Tile("Requests/s", new Curve("traffic"));
    this.errors = new Tile("Errors", new Curve("errors"));
    this.latency = new Tile("Latency p95", new Curve("latency"));
    this.flying = new Tile("In flight");
    this.upstreams = new Tile("Upstreams up");
    this.clients = new Tile("Connections");
    this.notices = new Map();
    setChildren(byId("tiles"), [this.traffic, this.errors, this.latency, this.upstreams, this.flying, this.clients].map((tile) => tile.element));
  }

  show(report, trail) {
    const { proxy, rates } = report;
    const all = rates.proxy;
    const others = proxy.requests - sum(report.routes.filter(isBuiltin), "requests"); // without those of this page
    this.traffic.show(rate(all?.requests_per_second), `${whole(others)} since the start`, trail.values.requests);
    this.errors.show(all ? percent(all.error_rate) : "–", "of the last minute", trail.values.errors, all?.error_rate > 0);
    const median = all?.p50 === undefined || all?.p50 === null ? "nothing in the last minute" : `p50 ${latency(all.p50)}, p99 ${latency(all.p99)}`;
    this.latency.show(latency(all?.p95), median, trail.values.latency);
    const routes = report.routes.filter((route) => !isBuiltin(route)); // this page is in flight itself
    const held = sum(routes, "held_now");
    this.flying.show(whole(sum(routes, "in_flight")), held ? `${whole(held)} of them wait` : "none waits", null, held > 0);
    this.clients.show(whole(proxy.connections), "of clients");
    this.showUpstreams(report.routes);
    this.showEngine(report.discovery);
    this.showNotices(report);
    setText(byId("about"), `dockerproxy ${proxy.version}, on ${proxy.listen.join(", ")}, up for ${duration(proxy.uptime_seconds)}`);
  }

  showUpstreams(routes) {
    const states = routes.flatMap((route) => route.upstreams.map((upstream) => upstream.state));
    const up = states.filter((state) => state === "up").length;
    const proxied = routes.filter((route) => !isBuiltin(route)).length;
    this.upstreams.show(`${whole(up)} / ${whole(states.length)}`, counted(proxied, "route"), null, up < states.length);
  }

  showEngine(discovery) {
    const pill = byId("engine-state");
    pill.hidden = false;
    setAttribute(pill, "class", `pill ${ENGINE[discovery.state] ?? "faint"}`);
    setText(pill, `engine ${discovery.state}`);
    setAttribute(pill, "title", discovery.engine || null);
  }

  showNotices({ certificates, discovery, routes }) {
    const notices = certificates.flatMap(({ warnings }) => warnings.map((words) => ["warn", sentence(words)]));
    if (discovery.state === "reconnecting") {
      const since = discovery.last_sync_at ? `Last heard of it at ${moment(discovery.last_sync_at)}. ` : "";
      const why = discovery.error ? `${sentence(discovery.error)}. ` : "";
      notices.push(["bad", `The engine cannot be reached. ${why}${since}What is known goes on being served.`]);
    }
    const lost = discovery.containers.filter((container) => !container.routed && !leftOut(container)).length;
    if (lost) notices.push(["warn", `${counted(lost, "labelled container")} not routed`, "#containers", "see why"]);
    const benched = routes.flatMap((route) => route.upstreams).filter((upstream) => upstream.state === "benched").length;
    if (benched) notices.push(["warn", `${counted(benched, "upstream")} benched after errors`]);
    const set = routes.filter(overridden).length;
    if (set) notices.push(["set", `${counted(set, "route")} with overrides that somebody has set`]);
    this.drawNotices(notices);
  }

  drawNotices(notices) {
    const drawn = new Map();
    for (const [kind, text, href, link] of notices) {
      const key = kind + text;
      const tail = href ? [" ", make("a", { href }, link)] : [];
      drawn.set(key, this.notices.get(key) ?? make("li", { class: `notice ${kind}` }, text, ...tail));
    }
    this.notices = drawn;
    setChildren(byId("notices"), [...drawn.values()]);
  }
}

class Tile {
  constructor(title, curve = null) {
    this.curve = curve;
    this.figure = make("span", { class: "figure" });
    this.note = make("span", { class: "note" });
    const text = make("dd", {}, this.figure, this.note);
    this.element = make("div", { class: "tile" }, make("dt", {}, title), text, curve ? curve.element : null);
  }

  show(figure, note, values = null, bad = false) {
    setText(this.figure, figure);
    setText(this.note, note);
    setAttribute(this.element, "class", bad ? "tile bad" : "tile");
    this.curve?.show(values);
  }
}

function sentence(words) {
  return words[0].toUpperCase() + words.slice(1);
}

function sum(routes, key) {
  return routes.reduce((total, route) => total + (route[key] ?? 0), 0);
}
