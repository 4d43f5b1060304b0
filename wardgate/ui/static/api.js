// Requests to the server's API, as any other client sends them.

/** What the server refused, in its own words. `status` is 0 when it could not be reached. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string[]} messages
   */
  constructor(status, messages) {
    super(messages.join(" ") || `The server answered with status ${status}.`);
    this.status = status;
    this.messages = messages;
  }
}

/** Sent to the window when the server has answered that it cannot answer: maybe it is sealed. */
export const UNAVAILABLE = "unavailable";

/** Why a request was not waited for any longer: somebody left or clicked on "Cancel". */
export class Cancelled extends Error {}

/**
 * @typedef {object} Options
 * @property {object} [body] sent as JSON
 * @property {string} [token] whose rights the request has; without one, it is a stranger's
 * @property {Record<string, string>} [query]
 * @property {AbortSignal} [signal]
 */

/**
 * The server's answer, parsed; {} for one without content.
 * @param {string} method
 * @param {string} path below /v1/, made of `segments` where it has names in it
 * @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, { body, token, query, signal } = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (token) headers["X-Vault-Token"] = token;
  if (body) headers["Content-Type"] = "application/json";
  const search = query ? `?${new URLSearchParams(query)}` : "";
  let response, text;
  try {
    response = await fetch(`/v1/${path}${search}`, {
      method,
      headers,
      body: body && JSON.stringify(body),
      cache: "no-store",
      redirect: "error",
      signal,
    });
    text = await response.text();
  } catch {
    if (signal?.aborted) throw new Cancelled();
    throw new ApiError(0, ["The server cannot be reached. Look at your connection and try again."]);
  }
  const answer = parsed(text);
  if (response.status === 503) dispatchEvent(new Event(UNAVAILABLE));
  if (!response.ok) throw new ApiError(response.status, messagesOf(answer));
  return answer;
}

/**
 * A path of names, each escaped. A mount's path may have several parts.
 * @param {...string} names
 */
export function segments(...names) {
  return names
    .flatMap((name) => name.split("/"))
    .filter(Boolean)
    .map(segment)
    .join("/");
}

/**
 * One name, escaped. Browsers would go up a folder for "..", whichever way it is written.
 * @param {string} name
 */
export function segment(name) {
  if (name === "." || name === "..") throw new Error("Names and paths must not be '.' or '..'.");
  return encodeURIComponent(name);
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text || "{}");
  } catch {
    return {};
  }
}

/** @param {any} answer */
function messagesOf(answer) {
  const errors = Array.isArray(answer?.errors) ? answer.errors : [];
  const found = /** @type {string[]} */ (errors.map(String));
  return found.map((message) =>
    message === "origin not allowed"
      ? `The server takes no requests from this page. Add ${location.origin} to allowed_origins of sys/config/cors.`
      : message,
  );
}
