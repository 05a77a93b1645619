// What this page takes from a server at most, so that a wrong number never fills the memory.

/** The most pixels of a canvas: 8192 x 8192, 256 MiB as RGBA. */
export const MAX_PIXELS = 8192 * 8192;

/** The most parts of a picture. */
export const MAX_PARTS = 65536;

/** The most letters of a text from the server that are shown. */
export const MAX_TEXT = 500;

/**
 * Whether a value is a whole number from `least` to `most`.
 * @param {unknown} value
 * @param {number} least
 * @param {number} most
 * @returns {value is number}
 */
export function isWhole(value, least, most) {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

/**
 * Whether a canvas of this size can be shown.
 * @param {unknown} width
 * @param {unknown} height
 */
export function isSize(width, height) {
  return isWhole(width, 1, 65535) && isWhole(height, 1, 65535) && width * height <= MAX_PIXELS;
}
