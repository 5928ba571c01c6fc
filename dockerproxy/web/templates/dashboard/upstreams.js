// The upstreams of one route, in its open row.

import * as actions from "./actions.js";
import { countDown, stopCounting } from "./clock.js";
import { make, setAttribute, setChildren, setText } from "./dom.js";
import { latency, moment, whole } from "./format.js";

/** How an upstream stands, with the words for it. */
export function standing(upstream) {
  return upstream.state === "draining" && upstream.overrides?.drained ? "drained" : upstream.state;
}

/** A badge that tells a state; a bench counts down. */
export class StateBadge {
  constructor() {
    this.element = make("span", { class: "state" });
  }

  show(upstream) {
    const state = standing(upstream);
    setAttribute(this.element, "class", `state ${state}`);
    if (upstream.state === "benched" && upstream.benched_until) {
      countDown(this.element, upstream.benched_until, "benched, back in", "benched, back soon");
    } else {
      stopCounting(this.element);
      setText(this.element, state);
    }
  }
}

export class UpstreamRow {
  constructor() {
    this.badge = new StateBadge();
    this.name = make("strong", {});
    this.url = make("span", { class: "faint url" });
    this.error = make("span", { class: "last-error" });
    this.figures = ["weight", "in flight", "answers", "errors", "mean"].map((label) => cell(label, "figure"));
    this.buttons = {
      drain: this.button("Drain", actions.drain),
      undrain: this.button("Undrain", actions.undrain),
      bench: this.button("Bench", actions.bench),
      unbench: this.button("Unbench", actions.unbench),
      weight: this.button("Weight", actions.weight),
    };
    const name = make("th", { role: "rowheader", scope: "row", class: "upstream" }, this.name, this.url, this.error);
    const state = make("td", { role: "cell", "data-label": "state" }, this.badge.element);
    this.actions = make("td", { role: "cell", class: "actions" }, ...Object.values(this.buttons));
    this.element = make("tr", { role: "row" }, name, state, ...this.figures, this.actions);
  }

  button(word, action) {
    const listener = (event) => action(event.currentTarget, this.route, this.upstream);
    return make("button", { type: "button", class: "small", onclick: listener }, word);
  }

  show(route, upstream) {
    this.route = route;
    this.upstream = upstream;
    const { overrides } = upstream;
    setText(this.name, upstream.name);
    setText(this.url, upstream.url === upstream.name ? "" : upstream.url);
    setText(this.error, upstream.last_error && upstream.error_counter ? `last error: ${upstream.last_error}` : "");
    this.badge.show(upstream);
    const mean = upstream.used_successfully ? latency(upstream.total_time_seconds / upstream.used_successfully) : "–";
    const weight = overrides?.weight ? `${upstream.weight} (set here)` : whole(upstream.weight);
    const texts = [weight, whole(upstream.in_flight), whole(upstream.used_successfully), whole(upstream.error_counter), mean];
    texts.forEach((text, index) => setText(this.figures[index], text));
    setAttribute(this.figures[3], "class", upstream.error_counter ? "figure bad" : "figure");
    this.showButtons(upstream);
  }

  showButtons(upstream) {
    const drained = Boolean(upstream.overrides?.drained);
    const benched = upstream.state === "benched";
    const { drain, undrain, bench, unbench, weight } = this.buttons;
    const shown = [drained ? undrain : drain, benched ? unbench : bench, weight];
    for (const button of Object.values(this.buttons)) {
      setAttribute(button, "hidden", !shown.includes(button));
      setAttribute(button, "aria-label", `${button.textContent} ${upstream.name}`);
    }
    // Its container is being stopped: there is nothing more to drain.
    drain.disabled = upstream.state === "draining" && !drained && upstream.weight > 0;
    bench.disabled = upstream.state === "draining";
    const since = upstream.overrides?.drained?.since;
    setAttribute(undrain, "title", since ? `drained since ${moment(since)}` : null);
  }
}

export class UpstreamTable {
  constructor() {
    this.rows = new Map();
    this.body = make("tbody", { role: "rowgroup" });
    const columns = ["Upstream", "State", "Weight", "In flight", "Answers", "Errors", "Mean time"];
    const heads = columns.map((title) => make("th", { role: "columnheader", scope: "col" }, title));
    const last = make("th", { role: "columnheader", scope: "col" }, make("span", { class: "unseen" }, "Actions"));
    const head = make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads, last));
    this.element = make("table", { class: "upstreams", role: "table" }, head, this.body);
  }

  show(route) {
    setAttribute(this.element, "aria-label", `Upstreams of ${route.name}`);
    const rows = new Map();
    for (const upstream of route.upstreams) {
      let key = `${upstream.name} ${upstream.url}`;
      while (rows.has(key)) key += "+";
      const row = this.rows.get(key) ?? new UpstreamRow();
      row.show(route, upstream);
      rows.set(key, row);
    }
    this.rows = rows;
    setChildren(this.body, [...rows.values()].map((row) => row.element));
  }
}

function cell(label, kind) {
  return make("td", { role: "cell", class: kind, "data-label": label });
}
