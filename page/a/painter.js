// Painting: what may be painted now, what is told of refusals, the cool-down, and undo.
import { SHORT_WAIT_MS } from "./ahead.js";

/**
 * @typedef {import("./ahead.js").Pixel} Pixel
 * @typedef {{code: string, message: string, x: number | null, y: number | null, waitMs: number}} Told
 */

const MOST_UNDONE = 50;

/** A name of a message, unlike all others. */
function newName() {
  const random = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(random, (b) => b.toString(16).padStart(2, "0")).join("");
}

export class Painter {
  /** The cool-down: when it began and when it ends. */
  coolFrom = 0;
  coolUntil = 0;
  cooldownMs = 0;
  /** Told of what was refused or taken back. @type {(told: Told) => void} */
  onRefused = () => {};
  /** @type {{x: number, y: number, rgb: number, before: number}[]} */
  #mine = [];

  /**
   * @param {import("./canvas.js").Canvas} canvas
   * @param {() => number} now
   */
  constructor(canvas, now) {
    this.canvas = canvas;
    this.now = now;
  }

  /** How long it is until one may paint, in ms. */
  get waitMs() {
    return Math.max(0, this.coolUntil - this.now());
  }

  /**
   * Paints a place ahead. Answers why not, or null.
   * @param {number} x
   * @param {number} y
   * @param {number} rgb
   * @returns {string | null}
   */
  paint(x, y, rgb) {
    const { canvas } = this;
    if (!canvas.isReady) return "NOT_READY";
    if (!canvas.picture.holds(x, y)) return "OUT_OF_BOUNDS";
    const before = canvas.shown(x, y);
    if (before === rgb) return "SAME";
    const wait = this.waitMs;
    if (wait > SHORT_WAIT_MS) return "COOLING_DOWN";
    const now = this.now();
    canvas.ahead.add({ name: newName(), x, y, rgb, before }, now, wait);
    this.#mine = [...this.#mine, { x, y, rgb, before }].slice(-MOST_UNDONE);
    if (this.cooldownMs > 0) {
      this.coolFrom = now;
      this.coolUntil = Math.max(now, this.coolUntil) + this.cooldownMs;
    }
    canvas.picture.onPlace(x, y);
    return null;
  }

  /** One's last pixel that is still as one painted it. */
  get last() {
    const { canvas } = this;
    return this.#mine.findLast((p) => canvas.picture.holds(p.x, p.y) && canvas.shown(p.x, p.y) === p.rgb) ?? null;
  }

  /** Paints what was there before one's last pixel. Answers why not, or null. */
  undo() {
    const { last } = this;
    if (!last) return "NOTHING_TO_UNDO";
    const why = this.paint(last.x, last.y, last.before);
    if (why === null) this.#mine = this.#mine.slice(0, -1).filter((p) => p !== last);
    return why;
  }

  /** @param {import("./frames.js").Refusal} error */
  refused({ code, message, name, x, y, retryMs }) {
    const { ahead } = this.canvas;
    const pixel = ahead.find(name);
    const now = this.now();
    const waitMs = code === "COOLING_DOWN" ? retryMs ?? 1_000 : 0;
    if (waitMs > 0) {
      this.coolFrom = now;
      this.coolUntil = now + waitMs;
    }
    if (pixel && waitMs > 0 && waitMs <= SHORT_WAIT_MS && ahead.retry(pixel, waitMs + 50, now)) return;
    const isRetried = pixel && code === "UNAVAILABLE" && ahead.retry(pixel, 1_000 * 2 ** (pixel.tries - 1), now);
    if (pixel && !isRetried) this.#takeBack(pixel);
    if (pixel && !isRetried && waitMs === 0) this.coolUntil -= this.cooldownMs; // What is refused costs no time.
    this.onRefused({ code: isRetried ? "UNAVAILABLE_RETRYING" : code, message, x: pixel?.x ?? x, y: pixel?.y ?? y, waitMs });
  }

  /** @param {Pixel} pixel */
  #takeBack(pixel) {
    this.canvas.redraw(this.canvas.ahead.drop(pixel));
    this.#mine = this.#mine.filter((p) => p.x !== pixel.x || p.y !== pixel.y || p.rgb !== pixel.rgb);
  }

  /**
   * What is to be sent now; takes back what nobody confirmed.
   * @param {boolean} live
   */
  tick(live) {
    const { back, gone, send, ping } = this.canvas.ahead.tick(this.now(), live);
    this.canvas.redraw([...back, ...gone]);
    for (const { x, y } of back) this.onRefused({ code: "UNCONFIRMED", message: "", x, y, waitMs: 0 });
    return { send, ping };
  }
}
