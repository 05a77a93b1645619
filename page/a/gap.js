// A gap: updates wait for one that is missing. Most close by themselves; what does not is lost.

const GAP_MS = 2_000;

export class Gap {
  #since = 0;
  #graceUntil = 0;

  /** What is missing is on its way: until then there is no gap. @param {number} until */
  expect(until) {
    this.#graceUntil = until;
  }

  /** It came, or it never will. */
  expectNothing() {
    this.#graceUntil = 0;
  }

  /**
   * Whether there is a gap that does not close by itself.
   * @param {boolean} hasGap
   * @param {number} now
   */
  isLost(hasGap, now) {
    if (!hasGap || now < this.#graceUntil) this.#since = now;
    return now - this.#since >= GAP_MS;
  }
}
