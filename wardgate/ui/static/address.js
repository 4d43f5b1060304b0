// What the page's address says beside its path. What stands behind "#" never reaches the server. It is
// taken out of the address when the page is opened, but browsers keep each address that was visited in
// their history all the same: so no secret is taken from there.

import { current } from "./login.js";

/** What was behind "#": enrol=NAME. */
export const ASKED = new Map(new URLSearchParams(location.hash.slice(1)));
if (location.hash) history.replaceState(null, "", location.pathname + location.search);
addEventListener("hashchange", () => {
  if (current()) history.replaceState(null, "", location.pathname + location.search);
  else location.reload(); // whoever is logged in would lose their login by that
});

/**
 * A field of the query.
 * @param {string} name
 */
export function query(name) {
  return new URLSearchParams(location.search).get(name) ?? "";
}

/** Takes the query out of the address. */
export function forgetQuery() {
  history.replaceState(null, "", location.pathname);
}
