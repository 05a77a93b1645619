// Panels: one is open at a time; focus goes into it and comes back.
import { box } from "./dom.js";

const NAMES = ["menu", "help", "info", "template"];

/** @type {HTMLElement | null} */
let opener = null;

/** The panel that is open. */
function current() {
  return NAMES.map(box).find((panel) => !panel.hidden);
}

/** @param {string} name @param {boolean} isOpen */
function mark(name, isOpen) {
  document.getElementById(`${name}-open`)?.setAttribute("aria-expanded", String(isOpen));
}

/** Closes what is open. Answers whether there was something. */
export function close() {
  const panel = current();
  if (!panel) return false;
  panel.hidden = true;
  mark(panel.id, false);
  (opener?.isConnected && opener.offsetParent ? opener : box("stage")).focus({ preventScroll: true });
  return true;
}

/** @param {string} name */
export function open(name) {
  const before = current();
  const { activeElement } = document;
  if (!before?.contains(activeElement)) opener = activeElement instanceof HTMLElement ? activeElement : null;
  if (before) before.hidden = true;
  if (before) mark(before.id, false);
  box(name).hidden = false;
  mark(name, true);
  box(name).focus({ preventScroll: true });
}

/** @param {string} name */
export function toggle(name) {
  if (box(name).hidden) open(name);
  else close();
}

/** @param {string} name */
export function isOpen(name) {
  return !box(name).hidden;
}

/** Wires the buttons that close a panel. */
export function wire() {
  for (const one of document.querySelectorAll("[data-close]")) one.addEventListener("click", () => close());
}
