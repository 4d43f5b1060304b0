// An OpenID provider. The role's callback_mode says how the login ends, and the page does not know it
// before it asks: in the mode "client" the provider sends the browser back to this page's own address
// (callback.js), in the modes "direct" and "device" the page asks the server until it is done.

import { Cancelled, call, segments } from "../api.js";
import { openWindow, poll, randomText, waitElsewhere } from "../elsewhere.js";
import { formOf } from "../form.js";

/** @type {import("../form.js").Field} */
const ROLE = { name: "role", label: "Role", hint: "Empty for the default role.", optional: true };

/** @type {import("../methods.js").Method} */
export const OIDC = {
  title: "OIDC",
  draw(place) {
    const form = formOf([ROLE], "Log in with the provider", async ({ role }) => {
      const opened = openWindow();
      try {
        await place.done(await logIn(place, form.element, role, opened));
      } catch (error) {
        opened?.close();
        throw error;
      }
    });
    return form.element;
  },
};

/**
 * @param {import("../methods.js").Place} place
 * @param {HTMLElement} element what is hidden while the login goes on elsewhere
 * @param {string} role
 * @param {Window | null} opened
 */
async function logIn(place, element, role, opened) {
  const mount = segments(place.mount());
  const nonce = randomText();
  const { data, here } = await begun(mount, role, nonce, place.stop);
  if (data.state) {
    const body = { state: data.state, client_nonce: nonce };
    const more = { code: data.user_code, stop: place.stop };
    const answer = await waitElsewhere(
      element,
      data.auth_url,
      opened,
      (signal) => poll(`auth/${mount}/oidc/poll`, body, Number(data.poll_interval) || 5, signal),
      more,
    );
    return answer.auth;
  }
  const query = new URL(data.auth_url).searchParams;
  const state = query.get("state") ?? "";
  if (query.get("redirect_uri") !== here) {
    throw new Error(
      "The provider posts its answer (oidc_response_mode=form_post), which no page can take: the role needs callback_mode=direct.",
    );
  }
  const back = await waitElsewhere(
    element,
    data.auth_url,
    opened,
    (signal) => comesBack(state, signal),
    { stop: place.stop },
  );
  const sent = { ...back, state, client_nonce: nonce };
  return (await call("GET", `auth/${mount}/oidc/callback`, { query: sent, signal: place.stop })).auth;
}

/**
 * Begins a login at the address that the role allows: this page's, or the server's, which alone is good
 * in the mode "direct".
 * @param {string} mount
 * @param {string} role
 * @param {string} nonce
 * @param {AbortSignal} signal
 */
async function begun(mount, role, nonce, signal) {
  const here = `${location.origin}/ui/vault/auth/${mount}/oidc/callback`;
  const server = `${location.origin}/v1/auth/${mount}/oidc/callback`;
  for (const redirect of [here, server]) {
    const body = { role, redirect_uri: redirect, client_nonce: nonce };
    const { data } = await call("POST", `auth/${mount}/oidc/auth_url`, { body, signal });
    if (!data.auth_url) continue; // the role does not allow this one
    const url = new URL(data.auth_url);
    const direct = data.state && url.searchParams.has("redirect_uri");
    if (redirect === here ? !direct || data.user_code : data.state) return { data, here };
  }
  throw new Error(
    `The role does not let this page log in: its allowed_redirect_uris need ${here}, or with callback_mode=direct ${server}. The provider has to know the same address.`,
  );
}

/**
 * What the provider has sent the browser back with. Only pages of this origin hear each other.
 * @param {string} state
 * @param {AbortSignal} signal
 * @returns {Promise<Record<string, string>>}
 */
function comesBack(state, signal) {
  const channel = new BroadcastChannel(`wardgate-oidc-${state}`);
  /** @type {Promise<Record<string, string>>} */
  const back = new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Cancelled()), { once: true });
    channel.addEventListener("message", ({ data }) => {
      if (data?.state !== state || data.taken) return;
      channel.postMessage({ state, taken: true });
      /** @type {Record<string, string>} */
      const kept = {};
      for (const name of ["code", "error", "iss"]) if (data[name]) kept[name] = data[name];
      resolve(kept);
    });
  });
  return back.finally(() => channel.close());
}
