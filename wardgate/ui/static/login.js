// Who is logged in. The token is in this module's variable and nowhere else: not in the address, a
// cookie, any storage of the browser, or the document. So it is gone with the page.

import { ApiError, Cancelled, call } from "./api.js";

/**
 * @typedef {object} Login
 * @property {string} token
 * @property {string} mount the auth mount that gave it, as "corp/ldap"; empty for a token that was typed
 * @property {string} method such as "ldap"
 * @property {string} key id of the passkey that was used; empty for other methods
 * @property {string} displayName
 * @property {string} entityId
 * @property {string} kind "service" or "batch"
 * @property {string[]} policies
 * @property {Record<string, string>} metadata
 * @property {boolean} renewable
 * @property {number} uses how many are left; 0 for a token without a limit. Each request is one, so the
 *   page sends none by itself for a token that has one
 * @property {boolean} looks whether the token may look at itself, and that costs nothing
 * @property {number} ends in milliseconds, as performance.now() has it, which nobody sets; Infinity for
 *   a token that never ends
 */

/** @type {Login | null} */
let login = null;

/** Who is logged in, or null. */
export function current() {
  return login;
}

/**
 * Takes over what a login answered, and asks the server what else there is to know.
 * @param {any} auth the field "auth" of a login's answer
 * @param {string} mount
 * @param {string} method
 * @param {AbortSignal} stop whether nobody waits for it any more: then the token is ended
 * @param {string} [key] id of the passkey that was used
 */
export async function logIn(auth, mount, method, stop, key = "") {
  const limited = auth.num_uses > 0; // to look would be one use
  const found = limited ? {} : await lookedUp(auth.client_token, true);
  if (stop.aborted) {
    await end(auth.client_token);
    throw new Cancelled();
  }
  login = {
    token: auth.client_token,
    mount,
    method,
    key,
    displayName: found.display_name || "",
    entityId: auth.entity_id || "",
    kind: auth.token_type || found.type || "",
    policies: auth.policies ?? [],
    metadata: auth.metadata ?? {},
    renewable: Boolean(auth.renewable),
    uses: limited ? auth.num_uses : 0,
    looks: "ttl" in found,
    ends: endOf(auth.lease_duration),
  };
}

/**
 * Logs in with a token that somebody has.
 * @param {string} token
 * @param {AbortSignal} stop whether nobody waits for it any more
 */
export async function logInWith(token, stop) {
  const found = await lookedUp(token, false);
  if (stop.aborted) throw new Cancelled();
  if (found.num_uses < 0) {
    throw new Error("To look at this token was the last use that it had: it has ended.");
  }
  login = {
    token,
    mount: "",
    method: "token",
    key: "",
    displayName: found.display_name || "",
    entityId: found.entity_id || "",
    kind: found.type || "",
    policies: [...new Set([...(found.policies ?? []), ...(found.identity_policies ?? [])])],
    metadata: found.meta ?? {},
    renewable: Boolean(found.renewable),
    uses: found.num_uses ?? 0,
    looks: !found.num_uses,
    ends: endOfFound(found),
  };
}

/** Makes the login last longer. Answers the server's warnings. */
export async function renew() {
  if (!login) return [];
  const answer = await call("POST", "auth/token/renew-self", { body: {}, token: login.token });
  login.ends = endOf(answer.auth?.lease_duration);
  login.renewable = Boolean(answer.auth?.renewable);
  if (login.uses > 0) login.uses -= 1;
  return /** @type {string[]} */ (answer.warnings ?? []);
}

/** Asks the server how long the login lasts, and answers whether it goes on. Only a refusal says that it
 * does not: a server that cannot be reached says nothing, and this page's clock may have stood still
 * while the machine slept. It alone counts for a token that must not look at itself. */
export async function goesOn() {
  const asked = login;
  if (!asked?.looks) return asked !== null && asked.ends > performance.now();
  try {
    asked.ends = endOfFound(await lookedUp(asked.token, false));
  } catch (error) {
    return !(error instanceof ApiError && error.status === 403);
  }
  return true;
}

/** Ends the token at the server, then forgets it, whatever the server says. Answers whether the
 * server has ended it. */
export async function logOut() {
  const token = login?.token;
  forget();
  return token ? end(token) : true;
}

/** Forgets who was logged in. */
export function forget() {
  if (login) login.token = "";
  login = null;
}

/** Has the server end a token. Answers whether it has.
 * @param {string} token */
async function end(token) {
  try {
    await call("POST", "auth/token/revoke-self", { body: {}, token });
    return true;
  } catch (error) {
    return error instanceof ApiError && error.status === 403; // it had ended before
  }
}

/**
 * @param {string} token
 * @param {boolean} mayFail whether it is no reason to worry if the token must not look
 */
async function lookedUp(token, mayFail) {
  try {
    return (await call("GET", "auth/token/lookup-self", { token })).data ?? {};
  } catch (error) {
    if (mayFail && error instanceof ApiError) return {};
    throw error;
  }
}

/** The end of a token that was looked up. Whole seconds are 0 in its last one, too.
 * @param {any} found */
function endOfFound(found) {
  return endOf(found.ttl || (found.expire_time ? 1 : 0));
}

/** @param {number} seconds 0 for never */
function endOf(seconds) {
  return seconds > 0 ? performance.now() + seconds * 1000 : Infinity;
}
