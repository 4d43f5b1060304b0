// What a browser's passkeys and this server say to each other (Web Authentication, level 3). The JSON
// forms are the standard's own; older browsers cannot read and write them, so `bytes` and `text` do.

import { ApiError, call, segments } from "./api.js";
import { base64Url } from "./elsewhere.js";

/** Why passkeys cannot be used here; empty when they can. */
export function whyNot() {
  if (!window.isSecureContext) {
    return "Passkeys need https, or a server on localhost: open this page so.";
  }
  return window.PublicKeyCredential ? "" : "This browser has no passkeys.";
}

/**
 * Logs in with a passkey; without a name, the browser asks which. Answers the token's "auth" and the id
 * of the passkey.
 * @param {string} mount
 * @param {string} username
 * @param {AbortSignal} signal
 */
export async function logInByPasskey(mount, username, signal) {
  const path = `auth/${segments(mount)}/login`;
  const named = username ? { username } : {};
  const { data } = await call("POST", `${path}/begin`, { body: named, signal });
  checkName(data.publicKey.rpId);
  const credential = await asked(() =>
    navigator.credentials.get({ publicKey: requestOptions(data.publicKey), signal }),
  );
  const body = { ...named, credential: json(credential) };
  const { auth } = await call("POST", `${path}/finish`, { body, signal });
  return { auth, key: credential.id };
}

/**
 * Makes a passkey and registers it.
 * @param {string} mount
 * @param {{username: string, code?: string, token?: string}} who a code or a token says that they may
 * @param {AbortSignal} signal
 */
export async function registerPasskey(mount, { username, code, token }, signal) {
  const path = `auth/${segments(mount)}/register`;
  const allowed = code ? { enrolment_code: code } : {};
  const { data } = await call("POST", `${path}/begin`, {
    body: { username, ...allowed },
    token,
    signal,
  });
  const rpId = data.publicKey.rp.id;
  checkName(rpId);
  const credential = await asked(() =>
    navigator.credentials.create({ publicKey: creationOptions(data.publicKey), signal }),
  );
  const body = { username, credential: json(credential) };
  try {
    await call("POST", `${path}/finish`, { body, token, signal });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 400) throw error;
    // the device has made a passkey that is good for nothing: newer browsers can have it removed
    const unknown = { rpId, credentialId: credential.id };
    await /** @type {any} */ (PublicKeyCredential).signalUnknownCredential?.(unknown).catch(() => {});
    throw new ApiError(error.status, [`${error.message}. ${ORIGIN_NEEDED}`]);
  }
}

/** The server does not tell strangers why. */
const ORIGIN_NEEDED = `Perhaps the server takes no passkeys from this page: for that, whoever runs it adds ${location.origin} to rp_origins of the mount.`;

/**
 * Raises an error when this page's host is not what the server's passkeys are for: before anybody takes
 * out their key.
 * @param {string} rpId
 */
function checkName(rpId) {
  const { hostname, port, protocol } = location;
  if (!rpId || hostname === rpId || hostname.endsWith(`.${rpId}`)) return;
  const scheme = rpId === "localhost" ? protocol : "https:";
  const address = `${scheme}//${rpId}${port && `:${port}`}/ui/login`;
  throw new Error(`The server has passkeys for ${rpId} alone: open this page under ${address}.`);
}

/**
 * @param {() => Promise<Credential | null>} ask
 * @returns {Promise<PublicKeyCredential>}
 */
async function asked(ask) {
  try {
    return /** @type {PublicKeyCredential} */ (await ask());
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    throw new Error(TROUBLES[name] ?? `The browser could not use a passkey (${name || error}).`);
  }
}

/** @type {Record<string, string>} by the names of the standard's errors */
const TROUBLES = {
  AbortError: "It was cancelled.",
  InvalidStateError: "This device or key is registered already.",
  NotAllowedError: "No passkey was used: it was cancelled, took too long, or there is none for this.",
  NotSupportedError: "This device or key cannot do what the server asks for.",
  SecurityError:
    "This address is not the one that the server has passkeys for (rp_id): open the page under the right name.",
};

/** @param {any} options @returns {PublicKeyCredentialRequestOptions} */
function requestOptions(options) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) {
    return PublicKeyCredential.parseRequestOptionsFromJSON(options);
  }
  return {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: described(options.allowCredentials),
  };
}

/** @param {any} options @returns {PublicKeyCredentialCreationOptions} */
function creationOptions(options) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) {
    return PublicKeyCredential.parseCreationOptionsFromJSON(options);
  }
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: described(options.excludeCredentials),
  };
}

/** @param {any[] | undefined} list */
function described(list) {
  return (list ?? []).map((each) => ({ ...each, id: bytes(each.id) }));
}

/** @param {PublicKeyCredential} credential */
function json(credential) {
  if (credential.toJSON) return credential.toJSON();
  const response = /** @type {any} */ (credential.response);
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const found = parts.filter((name) => response[name]);
  return {
    id: credential.id,
    rawId: base64Url(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: {
      ...Object.fromEntries(found.map((name) => [name, base64Url(response[name])])),
      ...(response.getTransports ? { transports: response.getTransports() } : {}),
    },
  };
}

/** @param {string} text in base64url */
function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}
