// Pings and what follows from their pongs. Time is given, never asked for.
import { isNewer } from "./position.js";

/**
 * @typedef {{at: string, epoch: string}} Pong
 * @typedef {"ping" | "resume" | "afresh" | null} Need what is to be done: send a ping, reconnect and
 *   go on, or reconnect and start with nothing
 */

const ANSWER_MS = 10_000;
const BEHIND_MS = 5_000;

export class Pulse {
  /** @type {{sent: number, held: string | null, within: number}[]} */
  #pending = [];
  #due = Infinity;
  #wanted = false;
  /** What a pong promised. @type {{epoch: string, at: string, until: number} | null} */
  #promise = null;

  /** @param {number} everyMs */
  constructor(everyMs) {
    this.everyMs = everyMs;
  }

  /**
   * A connection began.
   * @param {number} now
   */
  begin(now) {
    this.#pending = [];
    this.#promise = null;
    this.#wanted = false;
    this.#due = now + this.everyMs;
  }

  /** Sends a ping with the next tick. */
  ask() {
    this.#wanted = true;
  }

  /** The machine slept: what was under way then says nothing; ask at once. */
  woke() {
    this.#pending = [];
    this.#promise = null;
    this.#wanted = true;
  }

  /**
   * A ping was sent while this position was held.
   * @param {number} now
   * @param {string | null} held
   */
  sent(now, held) {
    this.#wanted = false;
    this.#due = now + this.everyMs;
    this.#pending.push({ sent: now, held, within: ANSWER_MS });
  }

  /**
   * @param {Pong} pong
   * @param {number} now
   * @param {{epoch: string | null, holds: string | null}} held
   * @returns {Need}
   */
  pong({ at, epoch }, now, { epoch: mine, holds }) {
    const asked = this.#pending[0];
    this.#pending = [];
    if (mine === null || holds === null) return null;
    if (epoch === mine && asked?.held && isNewer(asked.held, at)) return "afresh";
    if (epoch !== mine || isNewer(at, holds)) this.#promise = { epoch, at, until: now + BEHIND_MS };
    return null;
  }

  /**
   * @param {number} now
   * @param {{epoch: string | null, holds: string | null}} held
   * @returns {Need}
   */
  tick(now, { epoch, holds }) {
    const promise = this.#promise;
    if (promise && epoch === promise.epoch && holds !== null && !isNewer(promise.at, holds)) {
      this.#promise = null;
    } else if (promise && now >= promise.until) {
      this.#promise = null;
      return epoch === promise.epoch ? "resume" : "afresh";
    }
    const oldest = this.#pending[0];
    if (oldest && now - oldest.sent >= oldest.within) {
      if (this.#pending.length > 1) return "resume";
      oldest.within += ANSWER_MS;
      return "ping";
    }
    return this.#wanted || now >= this.#due ? "ping" : null;
  }
}
