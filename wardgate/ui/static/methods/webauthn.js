// Passkeys: to log in with one, and to register the first.

import { ASKED } from "../address.js";
import { button, make, show } from "../dom.js";
import { formOf } from "../form.js";
import { logInByPasskey, registerPasskey, whyNot } from "../passkeys.js";

/** @type {import("../methods.js").Method} */
export const WEBAUTHN = {
  title: "Passkey",
  draw(place) {
    const box = make("div");
    const problem = whyNot();
    if (problem) show(box, make("p", { class: "trouble" }, problem));
    else if (ASKED.has("enrol")) drawRegistration(box, place, ASKED.get("enrol") ?? "");
    else drawLogin(box, place);
    return box;
  },
};

/**
 * @param {HTMLElement} box
 * @param {import("../methods.js").Place} place
 * @param {string} [said] what is said above
 * @param {string} [username]
 */
function drawLogin(box, place, said, username = "") {
  const name = {
    name: "username",
    label: "Username",
    hint: "Empty for the browser to show the passkeys that it has.",
    autocomplete: "username",
    optional: true,
    value: username,
  };
  const form = formOf([name], "Use a passkey", async (values) => {
    const name = values.username.trim();
    const { auth, key } = await logInByPasskey(place.mount(), name, place.stop);
    await place.done(auth, key);
  });
  const message = said ? make("p", { class: "said", role: "status", tabindex: -1 }, said) : null;
  const other = button("Register a passkey", () => drawRegistration(box, place), "quiet");
  show(box, ...(message ? [message] : []), form.element, other);
  message?.focus();
}

/**
 * @param {HTMLElement} box
 * @param {import("../methods.js").Place} place
 * @param {string} [username]
 */
function drawRegistration(box, place, username) {
  const fields = [
    { name: "username", label: "Username", autocomplete: "username", value: username ?? "" },
    {
      name: "code",
      label: "Enrolment code",
      hint: "From whoever runs the server. Empty if none was given to you.",
      optional: true,
    },
  ];
  const form = formOf(fields, "Make a passkey", async (values) => {
    const who = { username: values.username.trim(), code: values.code.trim() };
    await registerPasskey(place.mount(), who, place.stop);
    ASKED.clear();
    drawLogin(box, place, "Your passkey is registered. Log in with it now.", who.username);
  });
  const title = make("h2", { tabindex: -1 }, "Register a passkey");
  show(box, title, form.element, button("Log in instead", () => drawLogin(box, place), "quiet"));
  title.focus();
}
