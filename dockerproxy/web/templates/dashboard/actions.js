// What an operator does from the page: each is a POST to the proxy, and its result comes with the next report.

import { make } from "./dom.js";
import { ask, field, tell } from "./messages.js";
import { post, Refused } from "./session.js";

const LONGEST_MESSAGE = 500; // characters, as the proxy takes
const HEAVIEST = 100;

/** Post at once, and say what has happened or why not. */
async function act(button, path, body, done) {
  button.disabled = true;
  try {
    await post(path, body);
    tell(done);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    tell(error.message, true);
  } finally {
    button.disabled = false;
  }
}

export function drain(button, route, upstream) {
  const about = { name: upstream.name, route: route.name };
  const others = route.upstreams.filter((other) => other.name !== upstream.name && other.state === "up");
  if (others.length) return act(button, "drain", about, `${upstream.name} gets no new requests.`);
  return ask({
    title: `Drain ${upstream.name}?`,
    text: `No other upstream of ${route.name} is up. New requests will wait for one, and fail if none comes.`,
    confirm: "Drain it all the same",
    act: async () => {
      await post("drain", about);
      tell(`${upstream.name} gets no new requests.`);
    },
  });
}

export function undrain(button, route, upstream) {
  return act(button, "undrain", { name: upstream.name, route: route.name }, `${upstream.name} is back in rotation.`);
}

export function bench(button, route, upstream) {
  return act(button, "bench", { name: upstream.name, route: route.name }, `${upstream.name} sits out for a while.`);
}

export function unbench(button, route, upstream) {
  return act(button, "unbench", { name: upstream.name, route: route.name }, `${upstream.name} is off the bench.`);
}

export function weight(_button, route, upstream) {
  const number = make("input", { type: "number", min: 0, max: HEAVIEST, step: 1, required: true, value: upstream.weight });
  const about = { name: upstream.name, route: route.name };
  const fields = [field("Weight", number, "Its share beside the others; 0 drains.")];
  const override = upstream.overrides?.weight;
  if (override) {
    const reset = make("button", { type: "button" }, "Back to what its source says");
    reset.addEventListener("click", () => {
      act(reset, "weight", { ...about, weight: null }, `${upstream.name} has its own weight again.`);
      reset.closest("dialog").close();
    });
    fields.push(make("p", {}, reset));
  }
  ask({
    title: `Weight of ${upstream.name}`,
    text: `In the route ${route.name}.`,
    confirm: "Set the weight",
    fields,
    act: async () => {
      await post("weight", { ...about, weight: Number(number.value) });
      tell(`${upstream.name} has weight ${number.value}.`);
    },
  });
}

export function beginMaintenance(_button, route) {
  const message = make("input", { type: "text", maxlength: LONGEST_MESSAGE, placeholder: "We are back at ten." });
  ask({
    title: `Maintenance of ${route.name}`,
    text: "New requests are answered with 503 and this message. What is in flight goes on.",
    confirm: "Begin maintenance",
    fields: [field("Message (may be left empty)", message)],
    act: async () => {
      await post("maintenance", { route: route.name, on: true, ...(message.value && { message: message.value }) });
      tell(`${route.name} is under maintenance.`);
    },
  });
}

export function endMaintenance(button, route) {
  return act(button, "maintenance", { route: route.name, on: false }, `${route.name} answers again.`);
}

export function pause(_button, route) {
  const options = [["10s", "10 seconds"], ["30s", "30 seconds"], ["1m", "1 minute"], ["5m", "5 minutes"]];
  const choice = make(
    "select",
    {},
    ...options.map(([value, text]) => make("option", { value, selected: value === "30s" }, text)),
  );
  ask({
    title: `Pause ${route.name}`,
    text: "Requests wait until you resume or the time is over, then go through.",
    confirm: "Pause",
    fields: [field("For", choice)],
    act: async () => {
      await post("pause", { route: route.name, for: choice.value });
      tell(`${route.name} is paused.`);
    },
  });
}

export function resume(button, route) {
  return act(button, "resume", { route: route.name }, `${route.name} goes on.`);
}
