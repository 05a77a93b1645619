// The server's configuration: loaded at the start, and again from time to time.
import { Backoff } from "./backoff.js";

const OLD_MS = 60_000;

/** @typedef {import("./http.js").Config} Config */

export class Configuration {
  /** @type {Config | null} */
  now = null;
  /** Why the last attempt failed. @type {unknown} */
  problem = null;
  /** Told of each one. @type {(config: Config, before: Config | null) => void} */
  onLoad = () => {};
  /** When it is loaded again: while a socket brings the canvas, and otherwise. */
  #due = { live: 0, other: 0 };
  #isBusy = false;
  #loaded = -Infinity;
  #backoff;

  /**
   * @param {() => Promise<Config>} load
   * @param {() => number} random
   */
  constructor(load, random) {
    this.load = load;
    this.random = random;
    this.#backoff = new Backoff(2_000, 30_000, random);
  }

  /** Loads it again within so many ms. @param {number} now @param {number} within */
  hurry(now, within) {
    if (within === 0 && now - this.#loaded < OLD_MS) return;
    const { live, other } = this.#due;
    this.#due = { live: Math.min(live, now + within), other: Math.min(other, now + within) };
  }

  /** @param {number} now @param {boolean} isLive */
  tick(now, isLive) {
    if (this.#isBusy || now < (isLive ? this.#due.live : this.#due.other)) return;
    this.#isBusy = true;
    this.load().then((config) => this.#take(config, now)).catch((error) => {
      this.problem = error;
      const again = now + 1_000 + this.#backoff.next();
      this.#due = { live: again, other: again };
    }).finally(() => {
      this.#isBusy = false;
    });
  }

  /** @param {Config} config @param {number} now */
  #take(config, now) {
    const before = this.now;
    this.now = config;
    this.problem = null;
    this.#loaded = now;
    this.#backoff.reset();
    // Whoever watches wants to know soon when there is room; the others hear of a new page in time.
    this.#due = { live: now + 240_000 + this.random() * 120_000, other: now + 10_000 + this.random() * 10_000 };
    this.onLoad(config, before);
  }
}
