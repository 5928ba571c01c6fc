// Numbers and times as people read them.

const NARROW = "\u202f"; // between a number and its unit

/** Requests per second: `0`, `0.4`, `12.3`, `1,234`. */
export function rate(perSecond) {
  if (!perSecond) return "0";
  if (perSecond < 0.1) return "< 0.1";
  return perSecond < 100 ? trimmed(perSecond.toFixed(1)) : whole(perSecond);
}

export function whole(number) {
  return Math.round(number).toLocaleString("en");
}

/** A part of one: `0 %`, `0.3 %`, `12 %`. */
export function percent(part) {
  const percents = part * 100;
  if (percents === 0) return `0${NARROW}%`;
  if (percents < 0.1) return `< 0.1${NARROW}%`;
  return `${percents < 10 ? trimmed(percents.toFixed(1)) : Math.round(percents)}${NARROW}%`;
}

/** A latency in seconds: `0.8 ms`, `42 ms`, `1.3 s`. */
export function latency(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const ms = seconds * 1000;
  if (ms < 10) return `${trimmed(ms.toFixed(1))}${NARROW}ms`;
  return ms < 1000 ? `${Math.round(ms)}${NARROW}ms` : `${trimmed(seconds.toFixed(1))}${NARROW}s`;
}

/** A duration in seconds, the two largest units: `12 s`, `1 m 05 s`, `3 h 20 m`, `5 d 2 h`. */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s}${NARROW}s`;
  if (s < 3600) return `${Math.floor(s / 60)}${NARROW}m ${String(s % 60).padStart(2, "0")}${NARROW}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}${NARROW}h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}${NARROW}m`;
  return `${Math.floor(s / 86400)}${NARROW}d ${Math.floor((s % 86400) / 3600)}${NARROW}h`;
}

/** A time of day of an ISO date, in the reader's time zone; with the day when it is not today. */
export function moment(iso) {
  const date = new Date(iso);
  const time = date.toLocaleTimeString("en-GB");
  return date.toDateString() === new Date().toDateString() ? time : `${date.toLocaleDateString("en-CA")} ${time}`;
}

/** `1 route`, `2 routes`. */
export function counted(number, noun) {
  return `${whole(number)} ${noun}${number === 1 ? "" : "s"}`;
}

function trimmed(text) {
  return text.replace(/\.0+$/, "");
}
