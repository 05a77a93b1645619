// Painting ahead: pixels that are shown before the server said that they are painted.
// Each is settled, sent once more under its name, or taken back. Time is given, never asked for.

/**
 * @typedef {{name: string, x: number, y: number, rgb: number, before: number, first: number,
 *   last: number, tries: number, again: number, contested: boolean, sent: boolean}} Pixel
 * @typedef {{send: Pixel[], ping: boolean, back: Pixel[], gone: Pixel[]}} Todo what a tick asks for:
 *   to send, to ping, taken back, and settled because somebody else painted there
 */

/** After this long a colour of somebody else proves that ours was painted before it. */
const CONTEST_MS = 3_000;
const AGAIN_MS = 8_000;
const LAST_MS = 30_000;
/** A cool-down up to this long is waited for; a longer one is told. */
export const SHORT_WAIT_MS = 2_000;

export class Ahead {
  /** In the order of painting. @type {Pixel[]} */
  pixels = [];

  get size() {
    return this.pixels.length;
  }

  /**
   * The colour that is shown ahead at a place, if there is one.
   * @param {number} x
   * @param {number} y
   */
  at(x, y) {
    return this.pixels.findLast((p) => p.x === x && p.y === y)?.rgb;
  }

  /**
   * A pixel is shown, and sent with the next tick.
   * @param {{name: string, x: number, y: number, rgb: number, before: number}} pixel
   * @param {number} now
   * @param {number} pause it is sent after this many ms
   */
  add(pixel, now, pause = 0) {
    this.pixels.push({ ...pixel, first: now, last: now, tries: 0, again: now + pause, contested: false, sent: false });
  }

  /** @param {(p: Pixel) => boolean} which */
  #remove(which) {
    const out = this.pixels.filter(which);
    if (out.length) this.pixels = this.pixels.filter((p) => !out.includes(p));
    return out;
  }

  /**
   * An update contains this place in this colour. Answers what it settles.
   * @param {number} x
   * @param {number} y
   * @param {number} rgb
   */
  seen(x, y, rgb) {
    if (!this.pixels.length) return [];
    const there = this.pixels.filter((p) => p.sent && p.x === x && p.y === y);
    for (const p of there) p.contested = true;
    return this.#remove((p) => there.includes(p) && p.rgb === rgb);
  }

  /**
   * A picture came. Answers what it settles.
   * @param {(x: number, y: number) => number} colourOf
   */
  picture(colourOf) {
    return this.#remove((p) => p.sent && colourOf(p.x, p.y) === p.rgb);
  }

  /**
   * The pixel that an error is about: the one it names, or the oldest that was sent.
   * @param {string | null} name
   */
  find(name) {
    return this.pixels.find((p) => p.sent && (name === null || p.name === name)) ?? null;
  }

  /**
   * A pixel was refused for now: it is sent again after a pause, while there is time.
   * @param {Pixel} pixel
   * @param {number} pause
   * @param {number} now
   * @returns {boolean} whether there is time
   */
  retry(pixel, pause, now) {
    if (now + pause - pixel.first >= LAST_MS) return false;
    pixel.again = now + pause;
    pixel.contested = false;
    return true;
  }

  /** @param {Pixel} pixel */
  drop(pixel) {
    return this.#remove((p) => p === pixel);
  }

  /** Takes everything back: the canvas is another one. */
  clear() {
    return this.#remove(() => true);
  }

  /**
   * A connection holds the canvas: what the one before it sent is sent again, a little later.
   * @param {number} now
   */
  connected(now) {
    for (const p of this.pixels) if (p.sent && p.tries < 2) p.again = Math.min(p.again, now + 1_000);
  }

  /**
   * @param {number} now
   * @param {boolean} live whether messages can be sent
   * @returns {Todo}
   */
  tick(now, live) {
    const old = (/** @type {Pixel} */ p) => now - p.last >= CONTEST_MS && p.sent;
    const gone = this.#remove((p) => p.contested && old(p));
    const back = this.#remove((p) => now - p.first >= LAST_MS);
    const ping = live && this.pixels.some((p) => old(p) && p.tries === 1 && p.again - now > 4_500);
    const send = live ? this.pixels.filter((p) => now >= p.again) : [];
    for (const p of send) {
      p.sent = true;
      p.tries += 1;
      p.last = now;
      p.again = p.tries === 1 ? now + AGAIN_MS : Infinity;
    }
    return { send, ping, back, gone };
  }
}
