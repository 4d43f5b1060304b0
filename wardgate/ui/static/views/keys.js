// The passkeys of whoever has logged in with one: add another, remove one. What this login cannot do is
// not offered.

import { ApiError, call, segment, segments } from "../api.js";
import { button, make, show } from "../dom.js";
import { wordsOf } from "../form.js";
import { registerPasskey } from "../passkeys.js";

const LIMITED =
  "They are not shown: your token may be used only a few times, and to look would be one.";
const BATCH = "This login cannot add passkeys: its token is a batch token.";
const REMOVED =
  "This login cannot add passkeys any more: the one that you logged in with is removed.";
const TOO_OLD =
  "The passkey was not added. Log in again with a passkey, then add the new one within 15 minutes.";

/**
 * @param {HTMLElement} place
 * @param {import("../login.js").Login} login
 * @param {AbortSignal} signal
 */
export function drawPasskeys(place, login, signal) {
  const title = make("h2", {}, "Your passkeys");
  if (login.uses) {
    show(place, title, make("p", { class: "hint" }, LIMITED));
    return;
  }
  const username = login.metadata.username ?? "";
  const user = `auth/${segments(login.mount)}/user/${segment(username)}`;
  const list = make("ul", { class: "keys" });
  const note = make("p", { class: "hint", hidden: true });
  const message = make("p", { role: "status", tabindex: -1 });
  const add = button("Add a passkey", () => attempt(added, "Added."));
  let removed = false; // whether the passkey of this login is
  show(place, title, message, list, note, add);
  refresh();

  async function refresh() {
    let said = "";
    try {
      const { data } = await call("GET", user, { token: login.token, signal });
      /** @type {string[]} */
      const ids = data?.credential_ids ?? [];
      removed ||= login.key !== "" && !ids.includes(login.key);
      show(list, ...ids.map((id) => entry(id, data.credential_info?.[id], ids.length === 1)));
    } catch (error) {
      if (signal.aborted) return;
      show(list);
      const forbidden = error instanceof ApiError && error.status === 403;
      said = forbidden ? "Your policies do not let you see them." : wordsOf(error);
    }
    const unable = login.kind === "batch" ? BATCH : removed ? REMOVED : "";
    add.hidden = unable !== "";
    note.textContent = [said, unable].filter(Boolean).join(" ");
    note.hidden = !note.textContent;
  }

  /**
   * @param {string} id
   * @param {{registered_at?: string, last_used_at?: string} | undefined} info
   * @param {boolean} isLast
   */
  function entry(id, info, isLast) {
    const short = id.length > 16 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id;
    const inUse = id === login.key;
    const registered = dated("Registered", info?.registered_at) || short;
    const used = dated("Last used", info?.last_used_at) || "Never used";
    const remove = button("Remove", () => {
      if (confirm(question(registered, inUse, isLast))) attempt(() => removal(id), "Removed.");
    });
    remove.className = "quiet";
    remove.setAttribute("aria-label", `Remove the passkey ${short}, ${registered}`);
    const words = make("div", {}, registered);
    if (inUse) words.append(" ", make("strong", { class: "mark" }, "in use now"));
    words.append(make("span", { class: "hint", title: id }, used, " · ", make("code", {}, short)));
    return make("li", {}, words, remove);
  }

  async function added() {
    try {
      await registerPasskey(login.mount, { username, token: login.token }, signal);
    } catch (error) {
      throw error instanceof ApiError && error.status === 400 ? new Error(TOO_OLD) : error;
    }
  }

  /** @param {string} id */
  async function removal(id) {
    await call("DELETE", `${user}/credential/${segment(id)}`, { token: login.token, signal });
    if (id === login.key) removed = true;
  }

  /**
   * @param {() => Promise<unknown>} action
   * @param {string} done what is said afterwards
   */
  async function attempt(action, done) {
    message.className = "";
    message.textContent = "";
    try {
      await action();
      message.textContent = done;
    } catch (error) {
      if (signal.aborted) return;
      message.className = "trouble";
      message.textContent = wordsOf(error);
    }
    message.focus();
    await refresh();
  }
}

/**
 * What somebody is asked before a passkey is removed.
 * @param {string} registered
 * @param {boolean} inUse
 * @param {boolean} isLast
 */
function question(registered, inUse, isLast) {
  return [
    `Remove this passkey? (${registered})`,
    "It cannot be used to log in any more.",
    inUse ? "You are logged in with it: this login cannot add passkeys any more." : "",
    isLast ? "It is your only one: you will need an enrolment code to register again." : "",
  ]
    .filter(Boolean)
    .join("\n\n");
}

/**
 * @param {string} what
 * @param {string} [time] as RFC 3339 has it
 */
function dated(what, time) {
  const date = new Date(time ?? "");
  if (Number.isNaN(date.valueOf())) return "";
  return `${what} ${date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}`;
}
