// Name and password: userpass and LDAP.

import { call, segment, segments } from "../api.js";
import { formOf } from "../form.js";

/** @type {import("../form.js").Field[]} */
const FIELDS = [
  { name: "username", label: "Username", autocomplete: "username" },
  { name: "password", label: "Password", type: "password", autocomplete: "current-password" },
];

/** @param {import("../methods.js").Place} place */
function draw(place) {
  return formOf(FIELDS, "Log in", async ({ username, password }) => {
    const path = `auth/${segments(place.mount())}/login/${segment(username)}`;
    await place.done((await call("POST", path, { body: { password }, signal: place.stop })).auth);
  }).element;
}

/** @type {import("../methods.js").Method} */
export const USERPASS = { title: "Username and password", draw };
/** @type {import("../methods.js").Method} */
export const LDAP = { title: "LDAP", draw };
