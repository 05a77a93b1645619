// Positions: texts `<ms>-<n>` of two whole numbers of up to 64 bits, compared as numbers.

const FORM = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})$/;

/**
 * Whether a value is a position.
 * @param {unknown} value
 * @returns {value is string}
 */
export function isPosition(value) {
  return typeof value === "string" && FORM.test(value);
}

/**
 * Whole numbers without leading zeros: the longer text is the greater number.
 * @param {string} a
 * @param {string} b
 */
function compareNumbers(a, b) {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

/**
 * Less than 0 where `a` is before `b`, 0 where they are equal.
 * @param {string} a
 * @param {string} b
 */
export function compare(a, b) {
  const [aMs = "", aN = ""] = a.split("-");
  const [bMs = "", bN = ""] = b.split("-");
  return compareNumbers(aMs, bMs) || compareNumbers(aN, bN);
}

/**
 * Whether `a` is after `b`.
 * @param {string} a
 * @param {string} b
 */
export function isNewer(a, b) {
  return compare(a, b) > 0;
}

/**
 * The milliseconds since 1970 of a position.
 * @param {string} position
 */
export function millis(position) {
  return Number(position.split("-")[0]);
}
