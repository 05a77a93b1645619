// Pauses before another attempt: random, and growing while attempts fail.

export class Backoff {
  #failures = 0;

  /**
   * @param {number} first the longest pause after one end, in ms
   * @param {number} most the longest pause of all
   * @param {() => number} random
   */
  constructor(first, most, random = Math.random) {
    this.first = first;
    this.most = most;
    this.random = random;
  }

  get failures() {
    return this.#failures;
  }

  /** The pause before the next attempt; each call doubles what it is drawn from. */
  next() {
    const limit = Math.min(this.most, this.first * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return this.random() * limit;
  }

  /** An attempt succeeded. */
  reset() {
    this.#failures = 0;
  }
}
