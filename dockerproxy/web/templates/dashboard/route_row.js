// One route: a row with its figures, and below it, when it is opened, its upstreams and what can be done.

import * as actions from "./actions.js";
import { countDown, stopCounting } from "./clock.js";
import { Curve } from "./curves.js";
import { make, setAttribute, setChildren, setText } from "./dom.js";
import { latency, percent, rate, whole } from "./format.js";
import { standing, UpstreamTable } from "./upstreams.js";

const MOST_PIPS = 12;
const MOST_HOSTS = 4; // in the row; where there are more, all of them stand in the open part
const LEVELS = { up: 0, probation: 1, draining: 2, drained: 2, benched: 3 };
const ADMIN = "dockerproxy.web."; // handlers by which the proxy itself is operated

let rows = 0;

export const isBuiltin = (route) => (route.handler?.name ?? "").startsWith(ADMIN);

/** What is wrong with a route, at worst: 0 nothing, 3 an upstream is benched. */
export function trouble(route, rates) {
  const worst = Math.max(0, ...route.upstreams.map((upstream) => LEVELS[standing(upstream)] ?? 0));
  return Math.max(worst, rates?.error_rate ? 3 : 0, route.kind === "proxy" && !route.upstreams.length ? 3 : 0);
}

/** Whether its last container has gone: without one, a route of containers is only kept for a while. */
export const lingers = (route) => route.source === "docker" && !route.upstreams.length;

export function overridden(route) {
  const { overrides } = route;
  const upstreams = route.upstreams.some(({ overrides: set }) => set?.drained || set?.weight);
  return Boolean(upstreams || overrides?.maintenance || overrides?.paused);
}

export class RouteRow {
  constructor() {
    const id = `route-${++rows}`;
    this.open = false;
    this.inView = false;
    this.trail = null; // none, when nothing has happened in the last minute
    this.seen = "";
    this.name = make("span", { class: "name" });
    this.toggle = make(
      "button",
      { type: "button", class: "toggle", "aria-expanded": "false", "aria-controls": id, onclick: () => this.turn(!this.open) },
      make("span", { class: "chevron", "aria-hidden": "true" }),
      this.name,
    );
    this.badges = make("span", { class: "badges" });
    this.places = make("span", { class: "places" });
    this.cells = this.makeCells();
    const head = make("th", { role: "rowheader", scope: "row" }, this.toggle, this.badges, this.places);
    this.row = make("tr", { role: "row", class: "route" }, head, ...Object.values(this.cells).map((cell) => cell.element));
    this.panel = make("td", { role: "cell", colspan: 7 });
    this.below = make("tr", { role: "row", class: "below", id, hidden: true }, this.panel);
    this.elements = [this.row, this.below];
  }

  makeCells() {
    const withCurve = (label, kind) => {
      const figure = make("span", { class: "number" });
      const curve = new Curve(kind);
      return { figure, curve, element: make("td", { role: "cell", class: "curved", "data-label": label }, figure, curve.element) };
    };
    const plain = (label, kind = "figure") => {
      const figure = make("span", { class: "number" });
      return { figure, element: make("td", { role: "cell", class: kind, "data-label": label }, figure) };
    };
    const cells = {
      traffic: withCurve("requests/s", "traffic"),
      errors: plain("errors"),
      latency: withCurve("p50 / p95 / p99", "latency"),
      upstreams: plain("upstreams", "pipped"),
      flying: plain("in flight"),
      held: plain("held"),
    };
    cells.upstreams.pips = make("span", { class: "pips", "aria-hidden": "true" });
    cells.upstreams.element.prepend(cells.upstreams.pips);
    return cells;
  }

  turn(open) {
    this.open = open;
    this.toggle.setAttribute("aria-expanded", String(open));
    this.below.hidden = !open;
    this.row.classList.toggle("open", open);
    if (open) this.showPanel();
  }

  /** Show a report; returns whether anything had to be drawn. */
  show(route, rates, trail) {
    if (trail || trail !== this.trail) {
      this.trail = trail;
      this.showCurves();
    }
    const seen = JSON.stringify([route, rates]);
    if (seen === this.seen) return false;
    this.seen = seen;
    this.route = route;
    this.rates = rates;
    this.showHead(route);
    this.showFigures(route, rates);
    if (this.open) this.showPanel();
    return true;
  }

  /** Whether the row is in view; the curves of others are not drawn, which saves most of the work. */
  setInView(inView) {
    this.inView = inView;
    this.showCurves();
  }

  showCurves() {
    if (!this.inView) return;
    const { requests, latency: times } = this.trail?.values ?? { requests: [0], latency: [0] };
    this.cells.traffic.curve.show(requests);
    this.cells.latency.curve.show(times);
  }

  showHead(route) {
    setText(this.name, route.name);
    const places = JSON.stringify([route.hosts, route.path]);
    if (places !== this.placesShown) {
      this.placesShown = places;
      setChildren(this.places, placesOf(route));
    }
    const badges = badgesOf(route);
    const told = badges.map(([kind, text]) => `${kind} ${text}`).join();
    if (told !== this.badgesShown) {
      this.badgesShown = told;
      setChildren(this.badges, badges.map(([kind, text]) => make("span", { class: `badge ${kind}` }, text)));
    }
    setAttribute(this.row, "data-trouble", trouble(route, this.rates) || null);
  }

  showFigures(route, rates) {
    const { traffic, errors, latency: times, upstreams, flying, held } = this.cells;
    setText(traffic.figure, rate(rates?.requests_per_second));
    setText(errors.figure, rates ? percent(rates.error_rate) : "–");
    setAttribute(errors.element, "class", rates?.error_rate ? "figure bad" : "figure");
    const known = rates ?? {};
    setText(times.figure, known.p50 === undefined || known.p50 === null ? "–" : ["p50", "p95", "p99"].map((name) => latency(known[name])).join(" / "));
    setText(flying.figure, whole(route.in_flight ?? 0));
    setText(held.figure, route.held_now ? `${whole(route.held_now)} waiting` : whole(route.held));
    setAttribute(held.element, "class", route.held_now ? "figure warn" : "figure");
    this.showPips(route, upstreams);
  }

  showPips(route, cell) {
    if (route.kind === "handler") {
      setText(cell.figure, "handler");
      return;
    }
    const states = route.upstreams.map(standing);
    const up = states.filter((state) => state === "up").length;
    setText(cell.figure, states.length ? `${up} of ${states.length} up` : "none");
    const told = states.slice(0, MOST_PIPS).join();
    if (told === this.pipsShown) return;
    this.pipsShown = told;
    setChildren(cell.pips, states.slice(0, MOST_PIPS).map((state) => make("i", { class: state })));
  }

  showPanel() {
    const { route } = this;
    if (!this.facts) {
      this.facts = make("dl", { class: "facts" });
      this.buttons = this.makeButtons();
      this.told = make("p", { class: "told" });
      this.upstreams = new UpstreamTable();
      this.panel.append(
        make("div", { class: "panel" }, this.facts, make("div", { class: "buttons" }, ...Object.values(this.buttons)), this.told, this.upstreams.element),
      );
    }
    this.showFacts(route);
    this.showOverrides(route);
    setAttribute(this.upstreams.element, "hidden", !route.upstreams.length);
    this.upstreams.show(route);
  }

  makeButtons() {
    const button = (text, action) => {
      const listener = (event) => action(event.currentTarget, this.route);
      return make("button", { type: "button", class: "small", onclick: listener }, text);
    };
    return {
      maintain: button("Maintenance", actions.beginMaintenance),
      answer: button("End maintenance", actions.endMaintenance),
      pause: button("Pause", actions.pause),
      resume: button("Resume", actions.resume),
    };
  }

  showFacts(route) {
    const facts = [
      ["source", route.source],
      ["methods", route.methods.join(", ") || "all"],
      ["requests", whole(route.requests)],
      ["errors shown", whole(route.errors_shown)],
      ["retries", whole(route.retries)],
      ["held", whole(route.held)],
    ];
    if (route.hosts.length > MOST_HOSTS) facts.push(["hosts", route.hosts.join(", ")]);
    if (route.middlewares?.length) facts.push(["middlewares", route.middlewares.map((each) => each.name ?? each).join(", ")]);
    if (route.handler) facts.push(["handler", route.handler.name]);
    setChildren(this.facts, facts.map(([term, text], index) => {
      const fact = this.facts.childNodes[index] ?? make("div", {}, make("dt", {}), make("dd", {}));
      setText(fact.firstChild, term);
      setText(fact.lastChild, text);
      return fact;
    }));
  }

  showOverrides(route) {
    const { maintenance, paused } = route.overrides ?? {};
    const { maintain, answer, pause, resume } = this.buttons;
    const shown = isBuiltin(route) ? [] : [maintenance ? answer : maintain, paused ? resume : pause];
    for (const button of Object.values(this.buttons)) {
      setAttribute(button, "hidden", !shown.includes(button));
      setAttribute(button, "aria-label", `${button.textContent}: ${route.name}`);
    }
    if (paused) countDown(this.told, paused.until, "Requests wait; they go through in", "Requests go through.");
    else {
      stopCounting(this.told);
      const gone = lingers(route) ? "Its last container has gone: requests wait for a new one, for a while." : "";
      setText(this.told, maintenance ? `Visitors get 503: ${maintenance.message || "This site is under maintenance."}` : gone);
    }
  }
}

/** A link for each of the first hosts that a browser can open. */
function placesOf(route) {
  const path = route.path === "/*" ? "" : route.path;
  if (!route.hosts.length) return [make("span", { class: "faint" }, `every host ${path}`)];
  const more = route.hosts.length - MOST_HOSTS;
  const links = route.hosts.slice(0, MOST_HOSTS).map((host) => {
    if (host.startsWith("*") || path.startsWith("~")) return make("span", { class: "faint" }, `${host}${path}`);
    const port = /:\d+$/.test(host) || !location.port ? "" : `:${location.port}`;
    const href = `${location.protocol}//${host}${port}${path.replace(/\*$/, "")}`;
    return make("a", { href, target: "_blank", rel: "noopener noreferrer" }, `${host}${path}`);
  });
  return more > 0 ? [...links, make("span", { class: "faint" }, `and ${more} more`)] : links;
}

function badgesOf(route) {
  const { maintenance, paused } = route.overrides ?? {};
  const drained = route.upstreams.filter((upstream) => upstream.overrides?.drained).length;
  return [
    ...(maintenance ? [["warn", "maintenance"]] : []),
    ...(paused ? [["warn", "paused"]] : []),
    ...(lingers(route) ? [["warn", "lingers"]] : []),
    ...(drained ? [["set", `${drained} drained`]] : []),
    ...(route.upstreams.some((upstream) => upstream.overrides?.weight) ? [["set", "weights set"]] : []),
    ...(isBuiltin(route) ? [["faint", "built-in"]] : []),
  ];
}
