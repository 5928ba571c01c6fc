// Containers that are not routed as their labels ask, with the reasons, and what the proxy made of each label.

import { byId, make, setChildren, setText } from "./dom.js";
import { whole } from "./format.js";

// Codes of the reasons for which somebody has left a container out on purpose.
const ASKED_FOR = new Set(["forbidden", "one_off"]);

export const leftOut = (container) => !container.routed && (container.why ?? []).some(({ code }) => ASKED_FOR.has(code));

const place = (container) => (container.routed ? 2 : leftOut(container) ? 1 : 0);

export class Containers {
  constructor() {
    this.cards = new Map();
  }

  show({ containers }) {
    const wanted = containers.filter((container) => !container.routed || container.reasons.length);
    wanted.sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name, "en", { numeric: true }));
    const cards = new Map();
    for (const container of wanted) {
      const card = this.cards.get(container.id) ?? new Card();
      card.show(container);
      cards.set(container.id, card);
    }
    this.cards = cards;
    setChildren(byId("containers-list"), [...cards.values()].map((card) => card.element));
    byId("containers").hidden = !wanted.length;
    setText(byId("containers-count"), whole(wanted.length));
  }
}

class Card {
  constructor() {
    this.seen = "";
    this.name = make("h3", {});
    this.badge = make("span", {});
    this.reasons = make("ul", { class: "reasons" });
    this.more = make("div", { class: "explained" });
    this.button = make("button", { type: "button", class: "small", "aria-expanded": "false", onclick: () => this.turn() }, "Explain");
    const head = make("div", { class: "head" }, this.name, this.badge, this.button);
    this.element = make("li", { class: "card" }, head, this.reasons, this.more);
  }

  show(container) {
    const seen = JSON.stringify(container);
    if (seen === this.seen) return;
    this.seen = seen;
    this.container = container;
    setText(this.name, container.name);
    const asked = leftOut(container);
    setText(this.badge, container.routed ? "routed, with a remark" : asked ? "left out on purpose" : "not routed");
    this.badge.className = container.routed || asked ? "badge set" : "badge warn";
    this.button.setAttribute("aria-label", `Explain ${container.name}`);
    const why = container.why ?? container.reasons.map((text) => ({ code: "", text }));
    const state = container.state && container.state !== "running" ? [make("li", { class: "faint" }, `its state is ${container.state}`)] : [];
    setChildren(this.reasons, [...why.map(reasonOf), ...state]);
    if (this.more.firstChild) this.explain();
  }

  turn() {
    const open = !this.more.firstChild;
    this.button.setAttribute("aria-expanded", String(open));
    if (open) this.explain();
    else setChildren(this.more, []);
  }

  /** Ask the proxy what it made of the container. */
  async explain() {
    try {
      const answer = await fetch(`explain?container=${encodeURIComponent(this.container.name)}`, { cache: "no-store" });
      const told = await answer.json();
      setChildren(this.more, answer.ok ? explanation(told) : [make("p", { class: "bad" }, told.error)]);
    } catch {
      setChildren(this.more, [make("p", { class: "bad" }, "The proxy does not explain it.")]);
    }
  }
}

function reasonOf({ code, text }) {
  return make("li", {}, text, ...(code ? [" ", make("code", {}, code)] : []));
}

function explanation(told) {
  const mends = (told.reasons ?? []).filter((reason) => reason.mend);
  const labels = told.labels ?? [];
  return [
    make("p", { class: "verdict" }, told.verdict),
    ...(mends.length ? [make("h4", {}, "What would have to change"), make("ul", {}, ...mends.map((reason) => make("li", {}, reason.mend)))] : []),
    ...(labels.length ? [make("h4", {}, "Its labels"), make("ul", { class: "labels" }, ...labels.map(labelOf))] : []),
  ];
}

function labelOf({ label, value, use, meaning, reason, did_you_mean: guess }) {
  const told = use === "read" ? meaning : reason;
  const hint = guess && !(told ?? "").includes(guess) ? `; did you mean ${guess}?` : "";
  return make(
    "li",
    {},
    make("code", {}, `${label}=${value}`),
    " ",
    make("span", { class: use === "read" ? "badge good" : "badge warn" }, use === "read" ? "read" : "ignored"),
    ` ${told ?? ""}${hint}`,
  );
}
