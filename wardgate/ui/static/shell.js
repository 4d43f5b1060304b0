// The shell around the views: shows the one that the address asks for, and clears it away.

import { UNAVAILABLE } from "./api.js";
import { ASKED, forgetQuery, query } from "./address.js";
import { announce, make, show } from "./dom.js";
import { current, forget } from "./login.js";
import { HOME, VIEWS } from "./views.js";
import { showNothing } from "./views/nothing.js";
import { showSealed, isOpen } from "./views/sealed.js";

/**
 * A view draws itself into `place`. What it answers, if anything, is called when it has to end: it
 * stops what it waits for.
 * @typedef {(place: HTMLElement, shell: Shell) => (() => void) | void} Draw
 *
 * @typedef {object} Shell
 * @property {(path: string, options?: {replace?: boolean}) => void} go show another view
 * @property {() => void} again show this view anew
 * @property {(text: string, options?: {bad?: boolean}) => void} say what the next view shows above
 *   everything else; `bad` for what went wrong
 */

const place = /** @type {HTMLElement} */ (document.getElementById("view"));
const meanwhile = make("main", { hidden: true }); // takes the place of `place` while nothing works
const menu = /** @type {HTMLElement} */ (document.getElementById("menu"));

/** @type {(() => void) | void} */
let end;
let wanted = ""; // the view that somebody asked for before they were logged in
let said = ""; // what the next view begins with
let saidBad = false;
/** @type {(() => void) | undefined} */
let endMeanwhile;

/** @type {Shell} */
const shell = {
  go(path, { replace = false } = {}) {
    if (replace) history.replaceState(null, "", path);
    else history.pushState(null, "", path);
    draw(true);
  },
  again: () => draw(true),
  say(text, { bad = false } = {}) {
    said = text;
    saidBad = bad;
  },
};

/** Begins: once the server is open, shows the view of the address. */
export async function start() {
  addEventListener("popstate", () => draw(true));
  // What the browser may keep of a page that was left must hold nothing (CVE-2021-38554).
  addEventListener("pagehide", clear);
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  place.after(meanwhile);
  addEventListener(UNAVAILABLE, waitIfSealed);
  said = afterLeaving();
  if (await isOpen()) draw(false);
  else end = showSealed(place, () => draw(true));
}

/** While the server is sealed, that is shown in place of the view, which stays as it is and goes on
 * afterwards: with what was typed into it, and whoever is logged in. */
async function waitIfSealed() {
  if (endMeanwhile || (await isOpen()) || endMeanwhile) return;
  const title = document.title;
  place.hidden = true;
  meanwhile.hidden = false;
  endMeanwhile = showSealed(meanwhile, () => {
    endMeanwhile = undefined;
    meanwhile.hidden = true;
    show(meanwhile);
    place.hidden = false;
    document.title = title;
    place.querySelector("h1")?.focus();
  });
}

/** What is said to somebody who has just logged out; the address knows it, since nothing else is left. */
function afterLeaving() {
  const words = AFTER_LEAVING.get(query("left"));
  if (words) forgetQuery();
  return words ?? "";
}

const AFTER_LEAVING = new Map([
  ["ended", "You are logged out, and your token has ended."],
  ["kept", "You are logged out. Your token has not ended: it was not made here."],
]);

/** Ends the view that is there, and forgets everything. */
export function clear() {
  end?.();
  end = undefined;
  forget();
  ASKED.clear();
  show(place);
  announce("");
}

/** @param {boolean} moved whether it follows on something, rather than that the page was opened */
function draw(moved) {
  end?.();
  const path = location.pathname.replace(/\/$/, "");
  let view = VIEWS.find((each) => each.path === path);
  const login = current();
  if (view?.needsLogin && !login) {
    wanted = path;
    view = VIEWS.find((each) => each.path === HOME);
    history.replaceState(null, "", HOME);
  } else if (login && path === HOME) {
    const next = wanted || "/ui/account";
    wanted = "";
    view = VIEWS.find((each) => each.path === next);
    history.replaceState(null, "", next);
  }
  show(place);
  if (said) {
    const kind = saidBad ? { class: "trouble", role: "alert" } : { class: "said", role: "status" };
    place.append(make("p", kind, said));
    said = "";
    saidBad = false;
  }
  document.title = `${view?.title ?? "Not found"} – Wardgate`;
  end = (view?.show ?? showNothing)(place, shell);
  drawMenu(view?.path);
  if (moved) place.querySelector("h1")?.focus();
}

/** Links to the other views, once there is more than one for somebody who is logged in.
 * @param {string} [here] */
function drawMenu(here) {
  const views = current() ? VIEWS.filter((each) => each.needsLogin) : [];
  menu.hidden = views.length < 2;
  show(
    menu,
    ...views.map((each) =>
      make(
        "a",
        {
          href: each.path,
          "aria-current": each.path === here ? "page" : null,
          click: (event) => {
            event.preventDefault();
            shell.go(each.path);
          },
        },
        each.title,
      ),
    ),
  );
}
