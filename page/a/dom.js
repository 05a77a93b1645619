// Elements of the page, by id and kind.

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function element(id, kind) {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page lacks #${id}`);
}

/** @param {string} id */
export function button(id) {
  return element(id, HTMLButtonElement);
}

/** @param {string} id */
export function input(id) {
  return element(id, HTMLInputElement);
}

/** @param {string} id */
export function box(id) {
  return element(id, HTMLElement);
}

/**
 * Writes a text where it is another one: what is written again is read out again.
 * @param {Element} target
 * @param {string} text
 */
export function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}
