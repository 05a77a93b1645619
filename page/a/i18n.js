// The texts of the page in the reader's language.
import { LANGUAGES } from "./lang/languages.js";
import { texts as english } from "./lang/en.js";

/** @typedef {keyof typeof english} Key */

/** @type {Record<string, string>} */
let texts = english;
let language = "en";
let direction = "ltr";

/**
 * The first language of the reader that there is.
 * @param {readonly string[]} wanted
 */
export function choose(wanted) {
  for (const tag of wanted) {
    const code = tag.toLowerCase();
    const found = LANGUAGES.find((l) => l === code) ?? LANGUAGES.find((l) => l === code.split("-")[0]);
    if (found) return found;
  }
  return "en";
}

/** Loads a language. @param {string} code */
export async function load(code) {
  try {
    const file = await import(`./lang/${code}.js`);
    texts = { ...english, ...file.texts };
    direction = file.direction === "rtl" ? "rtl" : "ltr";
    language = code;
  } catch {
    // English stays: it came with the page.
  }
}

/**
 * A text, with what is filled in.
 * @param {Key} key
 * @param {Record<string, string | number>} values
 */
export function t(key, values = {}) {
  return (texts[key] ?? english[key]).replace(/\{(\w+)\}/g, (all, name) => {
    const value = values[name] ?? all;
    const isPlace = name === "x" || name === "y"; // 1,234, 5 would be three numbers.
    return typeof value === "number" && !isPlace ? number(value) : String(value);
  });
}

/**
 * Whether there is a text of this name.
 * @param {string} key
 * @returns {key is Key}
 */
export function isKey(key) {
  return Object.hasOwn(english, key);
}

/** @param {number} value */
export function number(value) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);
}

/** A length of time, such as 4 s or 2:05. @param {number} ms */
export function duration(ms) {
  const s = Math.ceil(ms / 1000);
  if (s < 60) return `${s} s`;
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}

/** A point of time. @param {number} ms */
export function time(ms) {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return "";
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }).format(date);
}

/** Puts the texts into the page. */
export function fill() {
  document.documentElement.lang = language;
  document.documentElement.dir = direction;
  for (const element of document.querySelectorAll("[data-t]")) {
    const key = element.getAttribute("data-t") ?? "";
    if (isKey(key)) element.textContent = t(key);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    const key = element.getAttribute("data-label") ?? "";
    if (!isKey(key)) continue;
    element.setAttribute("aria-label", t(key));
    if (element instanceof HTMLButtonElement) element.title = t(key);
  }
}
