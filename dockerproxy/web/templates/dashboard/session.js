// Who this page is for the proxy: the login, and requests that change something.

import { byId, setText } from "./dom.js";

const LINK = "#login="; // before the code of a link that logs in

let csrf = null; // what shows that a request comes from this page

/** What the proxy refused, in its words. */
export class Refused extends Error {}

/** Call `begin` once this browser may see the dashboard; until then show the login. */
export async function logIn(begin) {
  byId("login").addEventListener("submit", async (event) => {
    event.preventDefault();
    setText(byId("login-refusal"), "");
    try {
      csrf = (await post("login", { token: byId("token").value })).csrf;
    } catch (error) {
      setText(byId("login-refusal"), error.message);
      byId("token").select();
      return;
    }
    byId("token").value = "";
    show(true, begin);
  });
  byId("logout").addEventListener("click", async () => {
    await post("logout", {}).catch(() => null); // the session may be over already
    location.reload();
  });
  const code = codeOfLink();
  const session = (code && (await redeemed(code))) || (await known());
  csrf = session.csrf;
  show(session.login !== "needed", begin, session.login === "done");
}

/** POST JSON; what is answered. Throws Refused. */
export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (csrf) headers["X-Dockerproxy-Csrf"] = csrf;
  let answer;
  try {
    answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    throw new Refused("The proxy does not answer.");
  }
  const text = await answer.text();
  const told = parsed(text);
  if (answer.ok) return told;
  throw new Refused(told.error ?? (text.trim() || `The proxy answered ${answer.status}.`));
}

function show(mayPass, begin, loggedIn = true) {
  byId("login").hidden = mayPass;
  byId("page-state").hidden = byId("also").hidden = !mayPass; // there is no connection, and nothing to be seen
  byId("logout").hidden = !mayPass || !loggedIn;
  if (mayPass) begin();
  else byId("token").focus();
}

/** The code of the link that led here; it is good once, so that nothing of it stays in the address. */
function codeOfLink() {
  if (!location.hash.startsWith(LINK)) return "";
  const code = location.hash.slice(LINK.length);
  history.replaceState(null, "", location.pathname);
  return code;
}

/** The session that the code of a link begins; null when it begins none, which the login then says. */
async function redeemed(code) {
  try {
    return await post("login", { code });
  } catch (error) {
    setText(byId("login-refusal"), error.message);
    return null;
  }
}

async function known() {
  try {
    return await (await fetch("session", { cache: "no-store" })).json();
  } catch {
    return { login: "none", csrf: null }; // the stream will say that the proxy is not there
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
