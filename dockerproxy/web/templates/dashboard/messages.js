// What the page tells a person beside its figures: short messages, announcements, and questions.

import { byId, make, setChildren, setText } from "./dom.js";
import { Refused } from "./session.js";

const SHOWN_FOR = 6000; // milliseconds

/** A short message in the corner, read out as well. */
export function tell(text, bad = false) {
  const toast = make("p", { class: bad ? "toast bad" : "toast", role: bad ? "alert" : null }, text);
  byId("toasts").append(toast);
  setTimeout(() => toast.remove(), SHOWN_FOR);
}

/** Something for screen readers only. */
export function announce(sentences) {
  if (!sentences.length) return;
  const more = sentences.length - 3;
  const text = [...sentences.slice(0, 3), ...(more > 0 ? [`and ${more} more changes`] : [])].join(". ");
  setText(byId("announcements"), text);
}

/**
 * Ask in a dialog, then do it; a refusal is shown in the dialog, which stays open.
 *
 * question: { title, text, confirm, fields: elements, act: async function that may throw Refused }
 */
export function ask({ title, text, confirm, fields = [], act }) {
  const dialog = byId("dialog");
  const form = dialog.querySelector("form");
  setText(byId("dialog-title"), title);
  setText(byId("dialog-text"), text);
  setText(byId("dialog-confirm"), confirm);
  setText(byId("dialog-refusal"), "");
  setChildren(byId("dialog-fields"), fields);
  byId("dialog-cancel").onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    byId("dialog-confirm").disabled = true;
    try {
      await act();
      dialog.close();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setText(byId("dialog-refusal"), error.message);
    } finally {
      byId("dialog-confirm").disabled = false;
    }
  };
  dialog.showModal();
  (fields.length ? dialog.querySelector("#dialog-fields input, #dialog-fields select") : byId("dialog-confirm")).focus();
}

/** A labelled field of a dialog. */
export function field(label, control, hint = "") {
  return make("label", { class: "asked" }, make("span", {}, label), control, hint ? make("small", {}, hint) : null);
}
