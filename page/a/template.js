// A template: a picture that one would like to see on the canvas, and where the canvas differs.
import { nearest } from "./colours.js";

/** Marks a place of the template that says nothing. */
const NOTHING = -1;

/** @typedef {{x: number, y: number, rgb: number}} Wish */

export class Template {
  x = 0;
  y = 0;
  /** 0 to 100. */
  opacity = 60;
  /** Only this colour is shown and looked for; null = all. @type {number | null} */
  only = null;

  /**
   * @param {number} width
   * @param {number} height
   * @param {Uint8ClampedArray | Uint8Array} rgba
   * @param {readonly number[]} palette what may be painted; empty = any colour
   */
  constructor(width, height, rgba, palette) {
    this.width = width;
    this.height = height;
    this.colours = new Int32Array(width * height).fill(NOTHING);
    /** @type {Map<number, number>} */
    const known = new Map();
    for (let n = 0; n < this.colours.length; n++) {
      const [r = 0, g = 0, b = 0, alpha = 0] = [rgba[n * 4], rgba[n * 4 + 1], rgba[n * 4 + 2], rgba[n * 4 + 3]];
      if (alpha < 128) continue;
      const rgb = (r << 16) | (g << 8) | b;
      let colour = known.get(rgb);
      if (colour === undefined) known.set(rgb, (colour = nearest(rgb, palette)));
      this.colours[n] = colour;
    }
  }

  /**
   * The colour that is wished at a place of the canvas, or null.
   * @param {number} x
   * @param {number} y
   */
  at(x, y) {
    const [column, row] = [x - this.x, y - this.y];
    if (column < 0 || row < 0 || column >= this.width || row >= this.height) return null;
    const rgb = this.colours[row * this.width + column] ?? NOTHING;
    return rgb === NOTHING || (this.only !== null && rgb !== this.only) ? null : rgb;
  }

  /** The colours of the template, the most frequent first. */
  palette() {
    /** @type {Map<number, number>} */
    const counts = new Map();
    for (const rgb of this.colours) if (rgb !== NOTHING) counts.set(rgb, (counts.get(rgb) ?? 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1]).map(([rgb]) => rgb);
  }

  /**
   * Where the canvas differs, row by row.
   * @param {{width: number, height: number}} canvas
   * @param {(x: number, y: number) => number} shown
   * @returns {Generator<Wish>}
   */
  *wrong({ width, height }, shown) {
    for (let row = Math.max(0, -this.y); row < this.height && row + this.y < height; row++) {
      for (let column = Math.max(0, -this.x); column < this.width && column + this.x < width; column++) {
        const [x, y] = [column + this.x, row + this.y];
        const rgb = this.at(x, y);
        if (rgb !== null && shown(x, y) !== rgb) yield { x, y, rgb };
      }
    }
  }

  /**
   * How many places it wishes for, how many of them are right, and the wrong place to mend next:
   * the nearest to a place, other than the place itself.
   * @param {{width: number, height: number}} canvas
   * @param {(x: number, y: number) => number} shown
   * @param {{x: number, y: number}} from
   */
  progress(canvas, shown, from) {
    let [wishes, wrong, least] = [0, 0, Infinity];
    for (const rgb of this.colours) if (rgb !== NOTHING && (this.only === null || rgb === this.only)) wishes += 1;
    /** @type {Wish | null} */
    let next = null;
    for (const wish of this.wrong(canvas, shown)) {
      wrong += 1;
      const far = (wish.x - from.x) ** 2 + (wish.y - from.y) ** 2;
      if (far < least && far > 0) [least, next] = [far, wish];
    }
    return { wishes, wrong, next };
  }
}
