// One WebSocket at a time: opened, opened again after a growing pause, and ended before the gateway
// ends it. What is said on it is somebody else's business.
import { Backoff } from "./backoff.js";

const HANDSHAKE_MS = 15_000;
const PICTURE_MS = 30_000;
const STEADY_MS = 5_000;
const MINUTE = 60_000;

/**
 * @typedef {{frame: (text: unknown) => void, opened: () => void, closed: () => void}} Listener
 * @typedef {{address: () => string | null, make: (url: string) => WebSocket,
 *   random: () => number, now: () => number}} Means
 */

export class Socket {
  /** @type {WebSocket | null} */
  #socket = null;
  #due = 0;
  #began = 0;
  #ends = 0;
  /** When this connection gave us the canvas; null before. @type {number | null} */
  #based = null;
  #backoff;

  /**
   * @param {Means} means
   * @param {Listener} listener
   */
  constructor(means, listener) {
    this.means = means;
    this.listener = listener;
    this.#backoff = new Backoff(1_000, 30_000, means.random);
  }

  /** Whether messages can be sent. */
  get isOpen() {
    return this.#socket?.readyState === 1;
  }

  /** Whether this connection brought what it has to bring. */
  get isBased() {
    return this.#based !== null;
  }

  /** How many attempts in a row brought nothing. */
  get failures() {
    return this.#backoff.failures;
  }

  /** How long this attempt has lasted, in ms. @param {number} now */
  age(now) {
    return this.#socket ? now - this.#began : 0;
  }

  /** The connection brought a picture, or what was missed. @param {number} now */
  based(now) {
    this.#based ??= now;
  }

  /** @param {string} text */
  send(text) {
    if (this.isOpen) this.#socket?.send(text);
  }

  /** Tries now instead of after the pause: the network or the tab came back. */
  hurry() {
    if (!this.#socket) this.#due = 0;
  }

  /**
   * Ends the connection, if there is one, and comes back after a pause.
   * @param {number} now
   */
  again(now) {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
    socket.close();
    if (this.#based !== null && now - this.#based >= STEADY_MS) this.#backoff.reset();
    this.#based = null;
    this.#due = now + this.#backoff.next();
    this.listener.closed();
  }

  /** @param {number} now */
  tick(now) {
    if (!this.#socket) {
      if (now >= this.#due) this.#open(now);
      return;
    }
    const age = now - this.#began;
    const stuck = this.#socket.readyState === 0 && age >= HANDSHAKE_MS;
    if (stuck || (this.#based === null && age >= PICTURE_MS) || now >= this.#ends) this.again(now);
    else if (this.#based !== null && now - this.#based >= STEADY_MS) this.#backoff.reset();
  }

  /** @param {number} now */
  #open(now) {
    const url = this.means.address();
    if (!url) return;
    this.#began = now;
    this.#ends = now + (90 + 25 * this.means.random()) * MINUTE;
    try {
      const socket = this.means.make(url);
      this.#socket = socket;
      socket.onopen = () => this.listener.opened();
      socket.onmessage = (event) => this.listener.frame(event.data);
      socket.onclose = () => this.again(this.means.now());
    } catch {
      this.#due = now + this.#backoff.next(); // A wrong address or a policy that forbids it.
      this.listener.closed();
    }
  }
}
