// Elements of the page. Text is always text here: nothing reads HTML, and the page's policy
// (require-trusted-types-for) would not let it.

/**
 * A new element.
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} [settings]
 *   attributes by name, and functions by the names of events; what is false or missing is left out
 * @param {...(Node | string | null | undefined)} children
 * @returns {HTMLElement}
 */
export function make(tag, settings = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.filter((each) => each !== null && each !== undefined));
  return element;
}

/**
 * Shows `children` in place of what `parent` had.
 * @param {Element} parent
 * @param {...(Node | string)} children
 */
export function show(parent, ...children) {
  parent.replaceChildren(...children);
}

/**
 * The heading of a view. It can be given the focus, so that a screen reader reads it.
 * @param {string} text
 */
export function heading(text) {
  return make("h1", { tabindex: -1 }, text);
}

/**
 * A button that does something here, rather than send a form.
 * @param {string} text
 * @param {() => void} act
 * @param {string} [kind] "quiet" for what is done seldom
 */
export function button(text, act, kind = "") {
  return make("button", { type: "button", class: kind || null, click: act }, text);
}

/** Names with values beside them. Values that are empty are left out.
 * @param {[string, Node | string | null | undefined][]} rows
 */
export function facts(rows) {
  const list = make("dl");
  for (const [name, value] of rows) {
    if (value) list.append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  }
  return list;
}

/**
 * Has a screen reader say something, without moving the focus.
 * @param {string} text
 */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
}
