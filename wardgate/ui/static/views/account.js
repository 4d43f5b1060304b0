// Who is logged in, for how long, and the way out.

import { ApiError, call, segments } from "../api.js";
import { announce, button, facts, heading, make, show } from "../dom.js";
import { wordsOf } from "../form.js";
import { current, forget, goesOn, logOut, renew } from "../login.js";
import { METHODS } from "../methods.js";
import { drawPasskeys } from "./keys.js";

const SHOWN = 30_000; // milliseconds for which a token can be seen
const MANY = 8; // policies, from which on they are folded away
const SOON = 300; // seconds before the end, at which it is said that it comes
const PATIENCE = 5000; // milliseconds before a server that did not say whether it has come is asked again

/** @type {import("../shell.js").Draw} */
export function showAccount(place, shell) {
  const login = current();
  if (!login) return undefined;
  const control = new AbortController();
  const left = make("span");
  const entity = make("span", {}, login.entityId);
  const uses = make("span");
  const trouble = make("p", { class: "trouble", role: "alert", tabindex: -1, hidden: true });
  const renewal = button("Renew", () => attempt(renewed), "quiet");
  const token = make("div", { class: "token" });
  const actions = make("div", { class: "actions" });
  actions.append(button("Copy token", () => attempt(copied)));
  if (login.renewable) actions.append(renewal);
  countUses();
  if (login.method === "token") actions.append(button("Revoke", revoked, "quiet"));
  actions.append(button("Log out", login.method === "token" ? kept : revoked, "leave"));
  place.append(
    heading("You are logged in"),
    trouble,
    facts([
      ["Name", login.displayName],
      ["Method", methodOf(login)],
      ["Policies", policiesOf(login.policies)],
      ["Time left", left],
      ["Uses left", login.uses ? uses : null],
      ["Entity", login.entityId ? entity : null],
    ]),
    actions,
    token,
  );
  let hidden = 0;
  let warned = false;
  let asked = -Infinity; // when the server was, by performance.now()
  tick();
  const clock = setInterval(tick, 1000);
  document.addEventListener("visibilitychange", seen, { signal: control.signal });
  if (!login.uses) nameEntity();
  if (login.method === "webauthn") {
    const keys = make("section", { "aria-label": "Passkeys" });
    place.append(keys);
    drawPasskeys(keys, login, control.signal);
  }
  return () => {
    control.abort();
    clearInterval(clock);
    clearTimeout(hidden);
    show(token);
  };

  function tick() {
    if (!login) return;
    const seconds = Math.max(0, Math.ceil((login.ends - performance.now()) / 1000));
    left.textContent = login.ends === Infinity ? "No end" : inWords(seconds);
    left.classList.toggle("soon", seconds <= SOON);
    if (seconds === 0) {
      if (performance.now() - asked >= PATIENCE) ask();
    } else if (seconds <= SOON && !warned) {
      warned = true;
      announce(`Your login ends in ${inWords(seconds)}.`);
    }
  }

  function seen() {
    if (document.visibilityState === "visible") ask();
    else if (token.querySelector("input")) show(token); // whoever comes next need not see it
  }

  async function ask() {
    asked = performance.now();
    const goes = await goesOn();
    if (current() !== login) return; // somebody left meanwhile
    if (goes) tick();
    else ended();
  }

  function ended() {
    forget();
    shell.say("Your login has ended. Log in again.", { bad: true });
    shell.again();
  }

  /** The last use is for what the token was made for: to renew it would end it. */
  function countUses() {
    if (!login?.uses) return;
    const typed = login.method === "token" ? "; this page has spent one to look at it" : "";
    uses.textContent = `${login.uses}${typed}`;
    renewal.hidden = login.uses === 1;
  }

  /** @param {() => Promise<void>} action */
  async function attempt(action) {
    trouble.hidden = true;
    try {
      await action();
    } catch (error) {
      trouble.textContent = wordsOf(error);
      trouble.hidden = false;
      trouble.focus();
    }
  }

  async function renewed() {
    let warnings;
    try {
      warnings = await renew();
    } catch (error) {
      // a token that may not be renewed is refused, too, and so is one that has ended
      const refused = error instanceof ApiError && error.status === 403;
      if (!refused || (!login?.uses && (await goesOn()))) throw error;
      if (current() === login) ended();
      return;
    }
    warned = false;
    tick();
    countUses();
    note("Renewed.", ...warnings);
  }

  async function copied() {
    if (!login) return;
    if (!navigator.clipboard) {
      shown();
      return;
    }
    try {
      await navigator.clipboard.writeText(login.token);
    } catch {
      note("Your browser does not let this page use the clipboard.");
      token.append(button("Show the token", shown, "quiet"));
      return;
    }
    note("Copied. The clipboard keeps it until something else is copied.");
  }

  function shown() {
    if (!login) return;
    const field = /** @type {HTMLInputElement} */ (
      make("input", { id: "token", readonly: true, autocomplete: "off" })
    );
    field.value = login.token;
    const label = make("label", { for: "token" }, "Token, shown for 30 seconds: copy it from here");
    show(token, make("div", { class: "field" }, label, field));
    field.select();
    clearTimeout(hidden);
    hidden = setTimeout(() => show(token), SHOWN);
  }

  /** @param {...string} texts what was done, and what there is to say about it */
  function note(...texts) {
    clearTimeout(hidden);
    const box = make("div", { class: "said" }, ...texts.map((text) => make("p", {}, text)));
    show(token, box);
    box.scrollIntoView({ block: "nearest" });
    announce(texts.join(" "));
  }

  /** A token that somebody brought along may be what other programs live by. */
  function kept() {
    forget();
    location.replace("/ui/login?left=kept");
  }

  async function revoked() {
    if (await logOut()) {
      location.replace("/ui/login?left=ended"); // a new document: of this one, nothing is left
      return;
    }
    shell.say(
      "This page has forgotten your token, but the server has not ended it: it is good until its time is over.",
      { bad: true },
    );
    shell.again();
  }

  async function nameEntity() {
    if (!login?.entityId) return;
    try {
      const path = `identity/entity/id/${segments(login.entityId)}`;
      const { data } = await call("GET", path, { token: login.token, signal: control.signal });
      if (!data?.name) return;
      show(entity, make("bdi", {}, data.name), make("span", { class: "hint" }, login.entityId));
    } catch {
      // the token may not read it, and nothing depends on it
    }
  }
}

/** @param {import("../login.js").Login} login */
function methodOf({ method, mount }) {
  const { title } = METHODS[method];
  return mount && mount !== method ? `${title} (${mount})` : title;
}

/** Names of policies, of which there can be hundreds. Each is isolated: one that is written from right to
 * left does not turn its neighbours around.
 * @param {string[]} policies */
function policiesOf(policies) {
  if (!policies.length) return null;
  const names = policies.flatMap((each, index) => [index ? ", " : "", make("bdi", {}, each)]);
  if (policies.length < MANY) return make("span", {}, ...names);
  return make("details", {}, make("summary", {}, `${policies.length} policies`), ...names);
}

/** @param {number} seconds */
export function inWords(seconds) {
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor((seconds % 86400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 4) return `${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
