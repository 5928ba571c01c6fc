// The last minute of each route, and the small curves that show it.

import { makeSvg, setAttribute } from "./dom.js";

const WINDOW = 60; // seconds that are shown
const HEIGHT = 20;

/** The values of the last minute of one thing, by name; it begins with what the proxy remembers. */
export class Trail {
  constructor(history = {}) {
    this.values = {};
    for (const name of ["requests", "errors", "latency"]) {
      const known = history[name] ?? [];
      this.values[name] = [...Array(WINDOW - known.length).fill(0), ...known];
    }
  }

  /** Add the values of one second; `missed` seconds before it had none, because nothing was told of them. */
  add(moment, missed) {
    for (const name of Object.keys(this.values)) {
      const values = this.values[name];
      for (let second = 0; second < Math.min(missed, WINDOW); second++) values.push(0);
      values.push(moment?.[name] ?? 0);
      values.splice(0, values.length - WINDOW);
    }
  }

  get quiet() {
    return this.values.requests.every((value) => !value) && this.values.latency.every((value) => !value);
  }
}

/** A curve without axes: what is said in figures beside it, so it is hidden from screen readers. */
export class Curve {
  constructor(kind) {
    this.area = makeSvg("path", { class: "area" });
    this.line = makeSvg("path", { class: "line", "vector-effect": "non-scaling-stroke" });
    this.element = makeSvg(
      "svg",
      { class: `curve ${kind}`, viewBox: `0 0 ${WINDOW - 1} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      this.area,
      this.line,
    );
  }

  show(values) {
    const most = Math.max(...values);
    this.element.classList.toggle("flat", !most);
    const height = (value) => (most ? HEIGHT - 1 - ((HEIGHT - 3) * (value ?? 0)) / most : HEIGHT - 1).toFixed(1);
    const line = most ? values.map((value, index) => `${index} ${height(value)}`).join("L") : `0 ${HEIGHT - 1}L${WINDOW - 1} ${HEIGHT - 1}`;
    setAttribute(this.line, "d", `M${line}`);
    setAttribute(this.area, "d", most ? `M${line}L${WINDOW - 1} ${HEIGHT}L0 ${HEIGHT}Z` : null);
  }
}
