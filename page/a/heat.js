// Where was painted in the last minutes, from the changes that this page saw.

const BUCKETS = 5;
const BUCKET_MS = 60_000;
const MOST_CELLS = 512;

export class Heat {
  width = 0;
  height = 0;
  /** Pixels to a side of a cell. */
  cell = 1;
  #start = 0;
  /** @type {Uint16Array[]} */
  #buckets = [];

  /**
   * Begins anew for a canvas of this size.
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    const cell = Math.max(1, Math.ceil(Math.max(width, height) / MOST_CELLS));
    if (this.cell === cell && this.width === Math.ceil(width / cell) && this.height === Math.ceil(height / cell)) return;
    this.cell = cell;
    this.width = Math.ceil(width / cell);
    this.height = Math.ceil(height / cell);
    this.#buckets = Array.from({ length: BUCKETS }, () => new Uint16Array(this.width * this.height));
  }

  /** Moves the minutes on. @param {number} now */
  #turn(now) {
    const passed = Math.floor((now - this.#start) / BUCKET_MS);
    if (passed <= 0) return;
    this.#start += passed * BUCKET_MS;
    for (let n = Math.min(passed, BUCKETS); n > 0; n--) {
      const last = this.#buckets.pop();
      if (last) this.#buckets.unshift(last.fill(0));
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} now
   */
  add(x, y, now) {
    this.#turn(now);
    const newest = this.#buckets[0];
    const at = Math.floor(y / this.cell) * this.width + Math.floor(x / this.cell);
    if (newest && (newest[at] ?? 0) < 65535) newest[at] = (newest[at] ?? 0) + 1;
  }

  /**
   * RGBA of the cells: the more and the later, the brighter.
   * @param {number} now
   */
  rgba(now) {
    this.#turn(now);
    const out = new Uint8ClampedArray(this.width * this.height * 4);
    for (let at = 0; at < this.width * this.height; at++) {
      let sum = 0;
      for (let n = 0; n < BUCKETS; n++) sum += (this.#buckets[n]?.[at] ?? 0) * (BUCKETS - n);
      const warm = sum ? Math.min(1, 0.35 + Math.log2(1 + sum) / 9) : 0;
      out[at * 4] = 255;
      out[at * 4 + 1] = 255 * Math.max(0, warm * 2 - 1);
      out[at * 4 + 2] = 64 * (1 - warm);
      out[at * 4 + 3] = sum ? 255 * warm : 150;
      if (!sum) out[at * 4] = out[at * 4 + 1] = out[at * 4 + 2] = 0;
    }
    return out;
  }
}
