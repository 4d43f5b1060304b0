// Logins that go on in another window, at a provider, while this page waits.

import { ApiError, Cancelled, call } from "./api.js";
import { button, make, show } from "./dom.js";

export const PATIENCE = 600_000; // milliseconds that a login may take; the server's own limit, too

/**
 * A new window. It has to be opened while the click is handled, or browsers block it, so it is empty at
 * first. What is opened in it later cannot reach this page (Cross-Origin-Opener-Policy).
 * @returns {Window | null} null when it was blocked
 */
export function openWindow() {
  const opened = window.open("about:blank", "_blank", "popup,width=640,height=760");
  if (opened) {
    opened.document.title = "One moment";
    opened.document.body.textContent = "One moment …";
  }
  return opened;
}

/**
 * The address of a provider's page as a URL. Raises an error for anything but http and https: a script
 * as address would run as this page.
 * @param {string} address
 */
export function webAddress(address) {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || !["https:", "http:"].includes(url.protocol)) {
    throw new Error("The server gave an address that is not a web page.");
  }
  return url;
}

/**
 * Shows that the login goes on elsewhere, in place of `element`, until `wait` has ended.
 * @template T
 * @param {HTMLElement} element
 * @param {string} address the provider's page
 * @param {Window | null} opened shows that page, if there is one
 * @param {(signal: AbortSignal) => Promise<T>} wait
 * @param {{code?: string, stop?: AbortSignal}} [more] a code to be typed there; what ends it from outside
 * @returns {Promise<T>}
 */
export async function waitElsewhere(element, address, opened, wait, { code, stop } = {}) {
  const url = webAddress(address);
  const control = new AbortController();
  const cancel = () => control.abort();
  stop?.addEventListener("abort", cancel);
  const timer = setTimeout(cancel, PATIENCE);
  const headline = make(
    "h2",
    { tabindex: -1 },
    opened ? "Log in in the window that has opened" : "Log in on the provider's page",
  );
  const link = make(
    "a",
    { href: url.href, target: "_blank", rel: "noopener noreferrer", class: opened ? null : "button" },
    opened ? "Open the provider's page again" : "Open the provider's page",
  );
  const panel = make(
    "section",
    { class: "waiting" },
    headline,
    make("p", {}, `At ${url.host}. This page goes on by itself afterwards.`),
    code ? make("p", {}, "Code to type there: ", make("strong", { class: "code" }, code)) : null,
    make("p", {}, link),
    button("Cancel", cancel, "quiet"),
  );
  element.hidden = true;
  element.after(panel);
  if (opened) opened.location.replace(url.href);
  headline.focus();
  const began = Date.now();
  try {
    return await wait(control.signal);
  } catch (error) {
    if (error instanceof Cancelled && Date.now() - began >= PATIENCE) {
      throw new Error("The login took too long. Begin again.");
    }
    throw error;
  } finally {
    clearTimeout(timer);
    stop?.removeEventListener("abort", cancel);
    panel.remove();
    element.hidden = false;
    if (opened && !opened.closed) opened.close();
  }
}

/**
 * Asks again and again until there is an answer. A server that is busy, sealed or out of reach is asked
 * less often.
 * @param {string} path
 * @param {object} body
 * @param {number} seconds between two requests
 * @param {AbortSignal} signal
 */
export async function poll(path, body, seconds, signal) {
  let pause = Math.max(seconds, 1);
  for (;;) {
    await sleep(pause * 1000, signal);
    try {
      return await call("POST", path, { body, signal });
    } catch (error) {
      if (!(error instanceof ApiError) || !isPending(error)) throw error;
      if (BUSY.includes(error.status)) pause = Math.min(pause * 2, LONGEST);
      if (error.messages.includes("slow_down")) pause += 1;
    }
  }
}

/** @param {ApiError} error */
function isPending(error) {
  return BUSY.includes(error.status) || error.messages.some((each) => PENDING.includes(each));
}

const BUSY = [0, 429, 503]; // 0 stands for a server that cannot be reached
const LONGEST = 30; // seconds between two requests
const PENDING = ["authorization_pending", "slow_down"];

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const stopped = () => {
      clearTimeout(timer);
      reject(new Cancelled());
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stopped);
      resolve(undefined);
    }, milliseconds);
    if (signal.aborted) stopped();
    else signal.addEventListener("abort", stopped, { once: true });
  });
}

/** A text of 32 random bytes that nobody can guess. */
export function randomText() {
  return base64Url(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * @param {ArrayBuffer | Uint8Array} bytes
 */
export function base64Url(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
