// Short notes above the palette, which screen readers read out.
import { box } from "./dom.js";

const STAY_MS = 4_500;
const MOST = 3;

/**
 * Says something; the same thing is not said twice at a time.
 * @param {string} text
 */
export function say(text) {
  const place = box("toasts");
  for (const old of [...place.children]) if (old.textContent === text) old.remove();
  while (place.children.length >= MOST) place.firstElementChild?.remove();
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.textContent = text;
  place.append(toast);
  setTimeout(() => toast.remove(), STAY_MS);
}

/**
 * Tells screen readers alone.
 * @param {string} text
 */
export function speak(text) {
  box("spoken").textContent = text;
}
