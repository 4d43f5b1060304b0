// An address that leads nowhere.

import { heading, make } from "../dom.js";

/** @type {import("../shell.js").Draw} */
export function showNothing(place) {
  place.append(
    heading("There is no such page"),
    make("p", {}, make("a", { href: "/ui/login" }, "Go to the login")),
  );
}
