// The methods that people can log in by. To add one: a line here, and a file in methods/.

import { OIDC } from "./methods/oidc.js";
import { LDAP, USERPASS } from "./methods/password.js";
import { SAML } from "./methods/saml.js";
import { TOKEN } from "./methods/token.js";
import { WEBAUTHN } from "./methods/webauthn.js";

/**
 * What a method's form needs to know.
 * @typedef {object} Place
 * @property {() => string} mount path of the auth mount, such as "corp/ldap"
 * @property {(auth: any, key?: string) => Promise<void>} done the server has given a token, maybe for a
 *   passkey, whose id `key` is
 * @property {() => void} leave whoever is logged in now sees their view
 * @property {AbortSignal} stop aborted when the form is taken away
 *
 * @typedef {object} Method
 * @property {string} title
 * @property {boolean} [fixed] whether it has no mount to choose
 * @property {(place: Place) => HTMLElement} draw
 */

/** @type {Record<string, Method>} by the types of mounts, in the order in which they are offered */
export const METHODS = {
  userpass: USERPASS,
  ldap: LDAP,
  webauthn: WEBAUTHN,
  oidc: OIDC,
  jwt: { ...OIDC, title: "OIDC (mount of type jwt)" },
  saml: SAML,
  token: TOKEN,
};
