// While the server is sealed, nobody can log in. The page says so, and goes on when it is open.

import { ApiError, call } from "../api.js";
import { heading, make, show } from "../dom.js";

const PAUSE = 3000; // milliseconds between two looks

/** What sys/seal-status says; null when the server cannot be reached. */
async function status() {
  try {
    return await call("GET", "sys/seal-status");
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return { initialized: false, sealed: true };
    return null;
  }
}

/** Whether people can log in. */
export async function isOpen() {
  const found = await status();
  return found !== null && found.initialized && !found.sealed;
}

/**
 * @param {HTMLElement} place
 * @param {() => void} goOn called when the server is open
 */
export function showSealed(place, goOn) {
  let ended = false;
  let timer = 0;
  let shown = "";
  const box = make("div", { role: "status" });
  show(place, box);
  document.title = "Not open – Wardgate";

  async function look() {
    const found = await status();
    if (ended) return;
    if (found?.initialized && !found.sealed) {
      ended = true;
      goOn();
      return;
    }
    const lines = told(found);
    if (lines.join() !== shown) {
      shown = lines.join();
      show(box, heading(lines[0]), ...lines.slice(1).map((line) => make("p", {}, line)));
    }
    timer = setTimeout(look, PAUSE);
  }

  look();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/** @param {any} found */
function told(found) {
  const goesOn = "This page goes on by itself as soon as it can.";
  if (found === null) return ["The server cannot be reached", goesOn];
  if (!found.initialized) {
    return [
      "The server is new",
      "Nobody has initialised it. Whoever runs it does that with: wardgate operator init",
      goesOn,
    ];
  }
  const shares = found.t > 1 ? ` (${found.progress} of ${found.t} shares have been given)` : "";
  return [
    "The server is sealed",
    `Nobody can log in before it is unsealed${shares}. Whoever runs it does that with: wardgate operator unseal`,
    goesOn,
  ];
}
