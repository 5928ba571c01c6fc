// What differs between two reports, in words: the list of changes, and what is read out.

import { byId, make } from "./dom.js";
import { standing } from "./upstreams.js";
import { announce } from "./messages.js";

const KEPT = 100; // changes
const MOST_OF_A_KIND = 5; // a reload of hundreds of routes is summed up

export class Changes {
  show(report) {
    const now = facts(report);
    if (this.before) this.tell(difference(this.before, now));
    this.before = now;
  }

  tell(changes) {
    if (!changes.length) return;
    const list = byId("changes");
    const time = new Date().toLocaleTimeString("en-GB");
    for (const { text, kind } of changes) {
      list.prepend(make("li", { class: kind }, make("time", {}, time), make("span", {}, text)));
    }
    while (list.childNodes.length > KEPT) list.lastChild.remove();
    list.hidden = false;
    byId("changes-empty").hidden = true;
    announce(changes.filter((change) => change.important).map((change) => change.text));
  }
}

/** What changes are told about, by a key for each. */
function facts({ routes, discovery }) {
  const found = { routes: new Map(), upstreams: new Map(), containers: new Map(), engine: discovery.state, error: discovery.error };
  for (const route of routes) {
    found.routes.set(route.name, route.overrides ?? {});
    for (const upstream of route.upstreams) {
      found.upstreams.set(`${upstream.name} of ${route.name}`, { state: standing(upstream), error: upstream.last_error });
    }
  }
  for (const container of discovery.containers) {
    found.containers.set(container.name, container.routed ? "" : (container.reasons[0] ?? ""));
  }
  return found;
}

function difference(before, now) {
  return [
    ...engine(before, now),
    ...limited([...gone(before.routes, now.routes, "Route")], "routes"),
    ...limited([...overrides(before.routes, now.routes)], "routes"),
    ...limited([...states(before, now)], "upstreams"),
    ...limited([...lost(before.containers, now.containers)], "containers"),
  ];
}

function engine(before, now) {
  if (before.engine === now.engine) return [];
  if (now.engine === "connected") return [{ text: "The engine is connected", kind: "good", important: true }];
  const why = now.error ? `: ${now.error}` : "";
  return [{ text: `The engine cannot be reached${why}`, kind: "bad", important: true }];
}

function* gone(before, now, noun) {
  for (const name of now.keys()) if (!before.has(name)) yield { text: `${noun} ${name} has come`, kind: "good" };
  for (const name of before.keys()) if (!now.has(name)) yield { text: `${noun} ${name} has gone`, kind: "faint" };
}

function* overrides(before, now) {
  for (const [name, { maintenance, paused }] of now) {
    const then = before.get(name);
    if (!then) continue;
    if (Boolean(maintenance) !== Boolean(then.maintenance)) {
      yield { text: `${name} is ${maintenance ? "under" : "out of"} maintenance`, kind: "set", important: true };
    }
    if (Boolean(paused) !== Boolean(then.paused)) yield { text: `${name} ${paused ? "is paused" : "goes on"}`, kind: "set", important: true };
  }
}

function* states(before, now) {
  for (const [name, { state, error }] of now.upstreams) {
    const then = before.upstreams.get(name)?.state;
    if (then === state) continue;
    if (then === undefined) yield { text: `${name} has come`, kind: "good" };
    else if (state === "benched") yield { text: `${name} is benched${error ? `: ${error}` : ""}`, kind: "bad", important: true };
    else yield { text: `${name} is ${state === "probation" ? "on probation" : state}`, kind: state === "up" ? "good" : "set", important: then === "benched" && state === "up" };
  }
  for (const name of before.upstreams.keys()) {
    if (!now.upstreams.has(name)) yield { text: `${name} has gone`, kind: "faint" };
  }
}

function* lost(before, now) {
  for (const [name, reason] of now) {
    if (reason && before.get(name) !== reason) yield { text: `Container ${name} is not routed: ${reason}`, kind: "warn", important: true };
  }
}

function limited(changes, noun) {
  if (changes.length <= MOST_OF_A_KIND) return changes;
  const more = { text: `and ${changes.length - MOST_OF_A_KIND} more changes of ${noun}`, kind: "faint" };
  return [...changes.slice(0, MOST_OF_A_KIND), more];
}
