// What this browser keeps of one's own choices.

/**
 * @param {string} key
 * @returns {string | null}
 */
export function recall(key) {
  try {
    return localStorage.getItem(`place.${key}`);
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {string} value
 */
export function keep(key, value) {
  try {
    localStorage.setItem(`place.${key}`, value);
  } catch {
    // Refused: the choice lasts for this visit.
  }
}
