// Colours: as texts, as numbers, and the usual ones.

/** The 32 colours of r/place in 2022, offered where the canvas allows every colour. */
export const USUAL = [
  0x6d001a, 0xbe0039, 0xff4500, 0xffa800, 0xffd635, 0xfff8b8, 0x00a368, 0x00cc78, 0x7eed56, 0x00756f, 0x009eaa,
  0x00ccc0, 0x2450a4, 0x3690ea, 0x51e9f4, 0x493ac1, 0x6a5cff, 0x94b3ff, 0x811e9f, 0xb44ac0, 0xe4abff, 0xde107f,
  0xff3881, 0xff99aa, 0x6d482f, 0x9c6926, 0xffb470, 0x000000, 0x515252, 0x898d90, 0xd4d7d9, 0xffffff,
];

/**
 * `#rrggbb`.
 * @param {number} rgb
 */
export function toText(rgb) {
  return `#${rgb.toString(16).padStart(6, "0")}`;
}

/**
 * The number of `#rrggbb`, or null.
 * @param {string} text
 */
export function fromText(text) {
  return /^#[0-9a-f]{6}$/i.test(text) ? parseInt(text.slice(1), 16) : null;
}

/**
 * How bright a colour looks, from 0 to 255.
 * @param {number} rgb
 */
export function brightness(rgb) {
  return 0.299 * (rgb >> 16) + 0.587 * ((rgb >> 8) & 255) + 0.114 * (rgb & 255);
}

/** @param {number} a @param {number} b */
function distance(a, b) {
  const red = ((a >> 16) + (b >> 16)) / 2;
  const [r, g, l] = [(a >> 16) - (b >> 16), ((a >> 8) & 255) - ((b >> 8) & 255), (a & 255) - (b & 255)];
  return (2 + red / 256) * r * r + 4 * g * g + (2 + (255 - red) / 256) * l * l;
}

/**
 * The colour of a palette that looks most like this one; the colour itself where any is allowed.
 * @param {number} rgb
 * @param {readonly number[]} palette
 */
export function nearest(rgb, palette) {
  if (!palette.length) return rgb;
  return palette.reduce((best, colour) => (distance(colour, rgb) < distance(best, rgb) ? colour : best));
}
