// A form with labels, whose failures are read out: the same for every method.

import { ApiError, Cancelled } from "./api.js";
import { make } from "./dom.js";

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {string} [type] "text" by default
 * @property {string} [autocomplete] "off" by default
 * @property {string} [hint] what stands below the label
 * @property {string} [value] what it has at first
 * @property {boolean} [optional] whether it may be left empty
 *
 * @typedef {object} Form
 * @property {HTMLElement} element
 * @property {(values: Record<string, string>) => void} fill
 * @property {(error: unknown) => void} fail shows why something has failed, and has it read out
 * @property {() => void} calm takes away what failed before
 */

let count = 0; // of fields, so that each has an id of its own

/**
 * A form whose content goes to `send`. While that works, it is not sent again. When it fails, its
 * error is shown and secrets are emptied; everything else stays as it was typed.
 * @param {Field[]} fields
 * @param {string} button
 * @param {(values: Record<string, string>) => Promise<void>} send
 * @returns {Form}
 */
export function formOf(fields, button, send) {
  const trouble = make("p", { class: "trouble", role: "alert", tabindex: -1, hidden: true });
  const submit = make("button", { type: "submit" }, button);
  /** @type {Record<string, HTMLInputElement>} */
  const inputs = {};
  const element = make(
    "form",
    { novalidate: true, submit: sent },
    trouble,
    ...fields.map((field) => row(field, inputs)),
    submit,
  );

  /** @param {SubmitEvent} event */
  async function sent(event) {
    event.preventDefault();
    if (submit.getAttribute("aria-disabled")) return;
    calm();
    const empty = fields.find((field) => !field.optional && !inputs[field.name].value);
    if (empty) {
      const input = inputs[empty.name];
      input.setAttribute("aria-invalid", "true");
      fail(new Error(`${empty.label}: must not be empty.`));
      input.focus();
      return;
    }
    submit.setAttribute("aria-disabled", "true");
    try {
      await send(Object.fromEntries(fields.map(({ name }) => [name, inputs[name].value])));
    } catch (error) {
      fail(error);
    } finally {
      submit.removeAttribute("aria-disabled");
    }
  }

  /** @param {unknown} error */
  function fail(error) {
    for (const field of fields) if (field.type === "password") inputs[field.name].value = "";
    if (error instanceof Cancelled || !element.isConnected) return;
    trouble.textContent = wordsOf(error);
    trouble.hidden = false;
    trouble.focus();
  }

  function calm() {
    trouble.hidden = true;
    trouble.textContent = "";
    for (const input of Object.values(inputs)) input.removeAttribute("aria-invalid");
  }

  return {
    element,
    fail,
    calm,
    fill(values) {
      for (const [name, value] of Object.entries(values)) inputs[name].value = value;
    },
  };
}

/**
 * @param {Field} field
 * @param {Record<string, HTMLInputElement>} inputs gets the new one
 */
function row(field, inputs) {
  const id = `field-${++count}`;
  const hint = field.hint ? make("span", { id: `${id}-hint`, class: "hint" }, field.hint) : null;
  const input = /** @type {HTMLInputElement} */ (
    make("input", {
      id,
      name: field.name,
      type: field.type ?? "text",
      autocomplete: field.autocomplete ?? "off",
      autocapitalize: "none",
      spellcheck: "false",
      required: !field.optional,
      "aria-describedby": hint ? `${id}-hint` : null,
    })
  );
  input.value = field.value ?? "";
  inputs[field.name] = input;
  return make("div", { class: "field" }, make("label", { for: id }, field.label), hint, input);
}

/**
 * What is said of a failure. The server's words are shown as they are, as text.
 * @param {unknown} error
 */
export function wordsOf(error) {
  const words = error instanceof Error ? error.message : String(error);
  if (error instanceof ApiError && error.status === 403 && words === "permission denied") {
    return "Permission denied.";
  }
  return words;
}
