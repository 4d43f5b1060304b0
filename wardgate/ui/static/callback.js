// Where an OpenID provider sends the browser back to. What it brings is handed to the page that began
// the login, and taken out of the address that this window shows. The browser's history keeps it all the
// same. That does no harm: the provider's code and the state are good once, and for nobody but the page
// that began, whose nonce never was in an address of a page.

import { make, show } from "./dom.js";

const PATIENCE = 10_000; // milliseconds that the other page has to take it

const query = new URLSearchParams(location.search);
history.replaceState(null, "", location.pathname);

const state = query.get("state") ?? "";
const place = /** @type {HTMLElement} */ (document.getElementById("view"));

/**
 * @param {string} title
 * @param {string} text
 */
function say(title, text) {
  show(place, make("div", { role: "alert" }, make("h1", {}, title), make("p", {}, text)));
}

if (!/^[\w-]{16,200}$/.test(state)) {
  say("Nothing to see here", "This address is for OpenID providers that send somebody back.");
} else {
  const channel = new BroadcastChannel(`wardgate-oidc-${state}`);
  const timer = setTimeout(() => {
    channel.close();
    say("No login waits for this", "Close this window and begin again.");
  }, PATIENCE);
  channel.addEventListener("message", ({ data }) => {
    if (!data?.taken) return;
    clearTimeout(timer);
    channel.close();
    show(
      place,
      make("h1", {}, "The login goes on where it began"),
      make("p", {}, "You can close this window."),
    );
    window.close();
  });
  const back = { state, code: query.get("code"), error: query.get("error"), iss: query.get("iss") };
  channel.postMessage(back);
}
