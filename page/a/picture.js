// The picture as the server knows it: a typed array of the colours, and who is told of changes.
import { BadFrame, RECORD } from "./frames.js";

/**
 * A colour 0xRRGGBB as a pixel of RGBA bytes in memory, on a little-endian machine.
 * @param {number} rgb
 */
export function toMemory(rgb) {
  return (0xff000000 | ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
}

/**
 * The opposite of `toMemory`.
 * @param {number} memory
 */
export function fromMemory(memory) {
  return ((memory & 255) << 16) | (memory & 0xff00) | ((memory >> 16) & 255);
}

export class Picture {
  width = 0;
  height = 0;
  memory = new Uint32Array(0);
  /** Told of each place that changed. @type {(x: number, y: number) => void} */
  onPlace = () => {};
  /** Told of a new picture. @type {() => void} */
  onWhole = () => {};

  /**
   * Replaces everything.
   * @param {{width: number, height: number, memory: Uint32Array<ArrayBuffer>}} picture
   */
  replace({ width, height, memory }) {
    this.width = width;
    this.height = height;
    this.memory = memory;
    this.onWhole();
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  holds(x, y) {
    return x >= 0 && y >= 0 && x < this.width && y < this.height;
  }

  /**
   * The colour of a place, 0xRRGGBB; white outside.
   * @param {number} x
   * @param {number} y
   */
  get(x, y) {
    return this.holds(x, y) ? fromMemory(this.memory[y * this.width + x] ?? 0) : 0xffffff;
  }

  /**
   * Paints the records of an update.
   * @param {Uint8Array} records
   * @param {(x: number, y: number, rgb: number) => void} each
   */
  paint(records, each) {
    for (let at = 0; at < records.length; at += RECORD) {
      const [x1 = 0, x2 = 0, y1 = 0, y2 = 0, r = 0, g = 0, b = 0] = records.subarray(at, at + RECORD);
      const [x, y, rgb] = [(x1 << 8) | x2, (y1 << 8) | y2, (r << 16) | (g << 8) | b];
      if (!this.holds(x, y)) throw new BadFrame("an update outside of the canvas");
      this.memory[y * this.width + x] = toMemory(rgb);
      this.onPlace(x, y);
      each(x, y, rgb);
    }
  }
}
