// A token that somebody has already.

import { formOf } from "../form.js";
import { logInWith } from "../login.js";

/** @type {import("../methods.js").Method} */
export const TOKEN = {
  title: "Token",
  fixed: true,
  draw(place) {
    return formOf([{ name: "token", label: "Token", type: "password" }], "Log in", async ({ token }) => {
      await logInWith(token.trim(), place.stop);
      place.leave();
    }).element;
  },
};
