// A SAML identity provider. It posts its answer to the server, and the page asks the server until that
// has come. The token goes to whoever knows the verifier, which never leaves this page before.

import { ApiError, call, segments } from "../api.js";
import { openWindow, poll, randomText, waitElsewhere } from "../elsewhere.js";
import { formOf } from "../form.js";

const PAUSE = 2; // seconds between two requests

/** @type {import("../methods.js").Method} */
export const SAML = {
  title: "SAML",
  draw(place) {
    const role = { name: "role", label: "Role", hint: "Empty for the default role.", optional: true };
    const form = formOf([role], "Log in with the provider", async (values) => {
      if (!crypto.subtle) {
        throw new Error("SAML needs https, or a server on localhost: open this page so.");
      }
      const opened = openWindow();
      try {
        const mount = segments(place.mount());
        const verifier = randomText();
        const data = await begun(mount, values.role, await challengeOf(verifier), place.stop);
        const body = { token_poll_id: data.token_poll_id, client_verifier: verifier };
        const answer = await waitElsewhere(
          form.element,
          data.sso_service_url,
          opened,
          (signal) => poll(`auth/${mount}/token`, body, PAUSE, signal),
          { stop: place.stop },
        );
        await place.done(answer.auth);
      } catch (error) {
        opened?.close();
        throw error;
      }
    });
    return form.element;
  },
};

/**
 * Begins a login whose answer comes to this server: by the address that this page has, or the only one
 * that the mount has.
 * @param {string} mount
 * @param {string} role
 * @param {string} challenge
 * @param {AbortSignal} signal
 */
async function begun(mount, role, challenge, signal) {
  const path = `auth/${mount}/sso_service_url`;
  const body = { role, client_challenge: challenge, client_type: "browser" };
  const here = `${location.origin}/v1/auth/${mount}/callback`;
  try {
    return (await call("POST", path, { body: { ...body, acs_url: here }, signal })).data;
  } catch (error) {
    if (!(error instanceof ApiError) || !error.messages.some((each) => each.startsWith("acs_url"))) {
      throw error;
    }
    return (await call("POST", path, { body, signal })).data;
  }
}

/** base64(sha256(verifier)), with padding, as the server has it.
 * @param {string} verifier */
async function challengeOf(verifier) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}
