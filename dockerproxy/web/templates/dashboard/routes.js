// The table of routes: which are shown, in which order. Only rows whose report changed are drawn again.

import { byId, make, setAttribute, setChildren, setText } from "./dom.js";
import { counted, whole } from "./format.js";
import { isBuiltin, overridden, RouteRow, trouble } from "./route_row.js";
import { own } from "./stream.js";

const OPEN_AT_FIRST = 6; // routes; where there are more, only those in trouble are open
const AT_ONCE = 500; // rows; more when they are asked for
const byName = (a, b) => a.route.name.localeCompare(b.route.name, "en", { numeric: true });

// The title of each column, and how it sorts: the first click brings what is most interesting to the top.
const COLUMNS = [
  ["Route", null],
  ["Requests/s", ({ rates }) => rates?.requests_per_second ?? 0],
  ["Errors", ({ rates }) => rates?.error_rate ?? 0],
  ["Latency p50 / p95 / p99", ({ rates }) => rates?.p95 ?? 0],
  ["Upstreams", ({ route, rates }) => trouble(route, rates)],
  ["In flight", ({ route }) => route.in_flight ?? 0],
  ["Held", ({ route }) => route.held_now || route.held],
];

export class Routes {
  constructor() {
    this.rows = new Map();
    this.watched = new WeakMap(); // the first element of a row -> the row
    this.watcher = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.watched.get(target).setInView(isIntersecting);
    }, { rootMargin: "50%" });
    this.limit = AT_ONCE;
    this.column = 0;
    this.drawn = 0; // rows that the last report changed
    this.makeHead();
    for (const [id, event] of [["filter", "input"], ["which", "change"], ["builtin", "change"]]) {
      byId(id).addEventListener(event, () => this.arrange());
    }
    byId("routes-more").addEventListener("click", () => {
      this.limit += AT_ONCE;
      this.arrange();
    });
  }

  show(report, trails) {
    const first = !this.rows.size;
    const rows = new Map();
    let named = false; // whether routes have come or gone, or what the filter looks at has changed
    this.drawn = 0;
    for (const route of report.routes) {
      let row = this.rows.get(route.name);
      const rates = own(report.rates.routes, route.name);
      if (!row) {
        row = new RouteRow();
        this.watched.set(row.row, row);
        this.watcher.observe(row.row);
        named = true;
      }
      if (row.show(route, rates, trails.get(route.name) ?? null)) this.drawn++;
      const words = wordsOf(route);
      if (row.words !== words) {
        row.words = words;
        named = true;
      }
      rows.set(route.name, row);
    }
    for (const [name, row] of this.rows) if (!rows.has(name)) this.watcher.unobserve(row.row);
    named ||= rows.size !== this.rows.size;
    this.rows = rows;
    if (first) this.openSome();
    if (named || byId("which").value !== "all") this.arrange();
  }

  /** Put the rows that the filters let through into the table, in order. */
  arrange() {
    const wanted = byId("filter").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const which = { all: () => true, trouble: (row) => trouble(row.route, row.rates) > 0, overrides: (row) => overridden(row.route) };
    const passes = which[byId("which").value];
    const builtin = byId("builtin").checked;
    const all = [...this.rows.values()].filter((row) => builtin || !isBuiltin(row.route));
    const found = all.filter((row) => wanted.every((word) => row.words.includes(word)) && passes(row));
    const key = COLUMNS[this.column][1];
    found.sort(key ? (a, b) => key(b) - key(a) || byName(a, b) : byName);
    const shown = found.slice(0, this.limit);
    setChildren(byId("routes-body"), shown.flatMap((row) => row.elements));
    this.tellHowMany(all.length, found.length, shown.length);
  }

  tellHowMany(all, found, shown) {
    setText(byId("routes-count"), found === all ? whole(all) : `${whole(found)} of ${whole(all)}`);
    byId("routes-table").hidden = !found;
    byId("routes-empty").hidden = found > 0;
    const none = "No routes yet: label a container with dockerproxy.enable=true, or write a route into the settings.";
    setText(byId("routes-empty"), all ? "No route matches the filters." : none);
    byId("routes-more").hidden = shown === found;
    setText(byId("routes-more"), `Show ${counted(Math.min(AT_ONCE, found - shown), "more route").replace(/more routes?/, "more")}`);
  }

  openSome() {
    const rows = [...this.rows.values()].filter((row) => !isBuiltin(row.route));
    for (const row of rows) {
      if (rows.length <= OPEN_AT_FIRST || (trouble(row.route) && rows.length <= AT_ONCE / 10)) row.turn(true);
    }
  }

  makeHead() {
    const heads = COLUMNS.map(([title], index) => {
      const button = make("button", { type: "button", onclick: () => this.sort(index) }, title);
      return make("th", { role: "columnheader", scope: "col" }, button);
    });
    setChildren(byId("routes-head"), heads);
    this.sort(0);
  }

  sort(index) {
    this.column = index;
    [...byId("routes-head").children].forEach((head, each) => {
      setAttribute(head, "aria-sort", each === index ? (index ? "descending" : "ascending") : null);
    });
    this.arrange();
  }
}

/** What the filter looks through. */
function wordsOf(route) {
  const upstreams = route.upstreams.map((upstream) => `${upstream.name} ${upstream.url}`);
  return [route.name, ...route.hosts, route.path, route.source, route.handler?.name ?? "", ...upstreams].join(" ").toLowerCase();
}
