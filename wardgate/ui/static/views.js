// The views of the page. To add one: a line here, its path in VIEWS of wardgate/ui/web.py, and a file
// in views/ with a function that draws it (see the type Draw in shell.js).

import { showAccount } from "./views/account.js";
import { showLogin } from "./views/login.js";

export const HOME = "/ui/login";

/**
 * `needsLogin`: whoever is not logged in does that first. Those are in the menu.
 * @type {{path: string, title: string, needsLogin: boolean, show: import("./shell.js").Draw}[]}
 */
export const VIEWS = [
  { path: HOME, title: "Log in", needsLogin: false, show: showLogin },
  { path: "/ui/account", title: "Your login", needsLogin: true, show: showAccount },
];
