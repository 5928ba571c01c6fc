// The proxy's clock, and what counts down by it. A browser's own clock may be wrong by minutes.

import { setText } from "./dom.js";
import { duration } from "./format.js";

let ahead = 0; // milliseconds by which the proxy's clock is ahead of this browser's
const counting = new Map(); // element -> [until, the words before the time, the words when it is over]

/** Take the time from a report. */
export function setClock(proxy) {
  ahead = Date.parse(proxy.started_at) + proxy.uptime_seconds * 1000 - Date.now();
}

export function now() {
  return Date.now() + ahead;
}

/** Let `element` say how long it is until an ISO date, each second anew: `benched, back in 12 s`. */
export function countDown(element, until, before, over) {
  counting.set(element, [Date.parse(until), before, over]);
  show(element);
}

export function stopCounting(element) {
  counting.delete(element);
}

setInterval(() => {
  for (const element of counting.keys()) {
    if (element.isConnected) show(element);
    else counting.delete(element);
  }
}, 1000);

function show(element) {
  const [until, before, over] = counting.get(element);
  const left = (until - now()) / 1000;
  setText(element, left > 0 ? `${before} ${duration(Math.ceil(left))}` : over);
}
