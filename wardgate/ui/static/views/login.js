// The login: the methods that the operator lists, and below them any other one by its path. What is
// not listed stays unknown to strangers, so the page cannot offer it by itself.

import { ASKED, query } from "../address.js";
import { ApiError, call } from "../api.js";
import { heading, make, show } from "../dom.js";
import { wordsOf } from "../form.js";
import { logIn } from "../login.js";
import { METHODS } from "../methods.js";

/** @typedef {{path: string, type: string, label: string}} Choice */

/** @type {Choice} */
const OTHER = { path: "", type: "", label: "Another method" };

const NOTHING_LISTED =
  "Which way is yours, whoever runs this server can tell you. If you have just set it up: choose “Token” and give the root token.";

/** @type {import("../shell.js").Draw} */
export function showLogin(place, shell) {
  const wanted = cleaned(query("with")); // a mount, as Vault's page has it: ?with=PATH
  const named = isKnown(query("method")) ? query("method") : ""; // for a mount that is not listed
  const control = new AbortController();
  let ofMethod = new AbortController();
  const choices = make("nav", { "aria-label": "Ways to log in", class: "choices" });
  const method = make("section", { "aria-label": "Login" });
  place.append(heading("Log in"), choices, method);
  const trouble = make("p", { class: "trouble", role: "alert", hidden: true });
  place.append(trouble);
  let retry = 0;
  load();
  return () => {
    clearTimeout(retry);
    control.abort();
    ofMethod.abort();
  };

  async function load() {
    /** @type {Choice[]} */
    let listed = [];
    try {
      const { data } = await call("GET", "sys/internal/ui/mounts", { signal: control.signal });
      listed = choicesOf(data?.auth ?? {});
      trouble.hidden = true;
    } catch (error) {
      if (control.signal.aborted) return;
      trouble.textContent = wordsOf(error);
      trouble.hidden = false;
      if (error instanceof ApiError && error.status === 503) retry = setTimeout(load, PAUSE);
    }
    const all = [...listed, OTHER];
    const chosen =
      listed.find((each) => each.path === wanted) ??
      listed.find((each) => each.type === (ASKED.has("enrol") && !wanted ? "webauthn" : wanted)) ??
      (wanted || named || ASKED.has("enrol") ? OTHER : all[0]);
    choose(all, chosen, chosen === OTHER ? wanted : "", named);
  }

  /**
   * @param {Choice[]} all
   * @param {Choice} chosen
   * @param {string} [path] where another method is, if that is known
   * @param {string} [type] and which one it is
   */
  function choose(all, chosen, path = "", type = "") {
    choices.hidden = all.length < 2;
    show(choices, ...all.map((each) => link(each, each === chosen, () => choose(all, each))));
    ofMethod.abort();
    ofMethod = new AbortController();
    if (chosen === OTHER) {
      const first = all.length < 2 ? "userpass" : "token";
      const likely = isKnown(path) ? path : path ? "" : first; // what is at a path, nobody knows here
      const known = type || (ASKED.has("enrol") ? "webauthn" : likely);
      show(method, ...otherMethod(path, known, ofMethod.signal, redrawn));
      if (all.length < 2 && !path) method.prepend(make("p", { class: "hint" }, NOTHING_LISTED));
    } else show(method, form(chosen.type, () => chosen.path, ofMethod.signal));
    /** @type {HTMLElement | null} */ (method.querySelector("select, input"))?.focus();
  }

  /** The signal of a method that takes the place of the one before. */
  function redrawn() {
    ofMethod.abort();
    ofMethod = new AbortController();
    return ofMethod.signal;
  }

  /**
   * @param {string} path
   * @param {string} type "" when somebody has to choose it: there is no form before, since a password
   *   must not go to something that is no mount for passwords
   * @param {AbortSignal} first
   * @param {() => AbortSignal} next
   */
  function otherMethod(path, type, first, next) {
    const select = /** @type {HTMLSelectElement} */ (
      make(
        "select",
        { id: "method", change: () => drawn(next()) },
        type ? null : make("option", { value: "", disabled: true }, "Choose a method"),
        ...Object.entries(METHODS).map(([name, { title }]) => make("option", { value: name }, title)),
      )
    );
    select.value = type;
    const input = /** @type {HTMLInputElement} */ (
      make("input", {
        id: "mount",
        autocomplete: "off",
        autocapitalize: "none",
        spellcheck: "false",
        "aria-describedby": "mount-hint",
      })
    );
    input.value = path === type ? "" : path;
    const hint = make("span", { id: "mount-hint", class: "hint" });
    const mount = make(
      "div",
      { class: "field" },
      make("label", { for: "mount" }, "Mount path"),
      hint,
      input,
    );
    const box = make("div");

    /** @param {AbortSignal} signal */
    function drawn(signal) {
      mount.hidden = Boolean(METHODS[select.value]?.fixed);
      hint.hidden = !select.value;
      if (!select.value) return;
      hint.textContent = `Empty for the usual one, ${select.value}.`;
      show(box, form(select.value, () => cleaned(input.value) || select.value, signal));
    }

    drawn(first);
    const label = make("label", { for: "method" }, "Method");
    return [make("div", { class: "field" }, label, select), mount, box];
  }

  /**
   * @param {string} type
   * @param {() => string} mount
   * @param {AbortSignal} stop
   */
  function form(type, mount, stop) {
    const leave = () => shell.again();
    return METHODS[type].draw({
      mount,
      stop,
      leave,
      async done(auth, key) {
        if (!auth?.client_token) throw new Error("The server gave no token.");
        await logIn(auth, mount(), type, stop, key);
        leave();
      },
    });
  }
}

const PAUSE = 2000; // milliseconds before a server that is sealed or busy is asked again
const LONG = 30; // characters of a description, from which on it may be cut off

/**
 * @param {Choice} choice
 * @param {boolean} isCurrent
 * @param {() => void} choose
 */
function link(choice, isCurrent, choose) {
  const address = choice === OTHER ? "/ui/login" : `/ui/login?with=${encodeURIComponent(choice.path)}`;
  return make(
    "a",
    {
      href: address,
      "aria-current": isCurrent ? "true" : null,
      title: choice.label.length > LONG ? choice.label : null,
      click: (event) => {
        event.preventDefault();
        history.replaceState(null, "", address);
        choose();
      },
    },
    choice.label,
  );
}

/**
 * The mounts that people can log in at, by their descriptions.
 * @param {Record<string, {type: string, description?: string}>} mounts
 * @returns {Choice[]}
 */
function choicesOf(mounts) {
  return Object.entries(mounts)
    .filter(([, { type }]) => isKnown(type))
    .map(([path, { type, description }]) => {
      const name = cleaned(path);
      const title = name === type ? METHODS[type].title : `${METHODS[type].title} (${name})`;
      return { path: name, type, label: description?.trim() || title };
    });
}

/** @param {string} type */
function isKnown(type) {
  return Object.hasOwn(METHODS, type);
}

/** @param {string} path */
function cleaned(path) {
  return path.trim().replace(/^\/+|\/+$/g, "");
}
