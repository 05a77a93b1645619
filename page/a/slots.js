// Watching without a socket: one slot of changes after the other, from the picture's on.
import { Backoff } from "./backoff.js";
import { BadFrame, epoch, read } from "./frames.js";
import { isWhole } from "./limits.js";
import { isNewer, isPosition } from "./position.js";

/**
 * @typedef {import("./frames.js").Update} Update
 * @typedef {{kind: "changes", epoch: string, from: string, at: string, frames: Update[], online: number | null}
 *   | {kind: "early", inMs: number, everyMs: number} | {kind: "gone"}} Slot
 * @typedef {{slot: (n: number) => Promise<unknown>, picture: () => Promise<{slot: number | null}>,
 *   take: (changes: Extract<Slot, {kind: "changes"}>) => boolean, random: () => number,
 *   now: () => number}} Means `take` answers whether the slot could be chained
 */

/**
 * What an answer of `slots/<n>` says.
 * @param {unknown} value
 * @returns {Slot}
 */
export function readSlot(value) {
  const s = /** @type {Record<string, unknown>} */ (value);
  if (typeof s !== "object" || s === null) throw new BadFrame("a slot that is no object");
  if (s.gone === true) return { kind: "gone" };
  if (typeof s.in_ms === "number") {
    return { kind: "early", inMs: clamp(s.in_ms), everyMs: typeof s.every_ms === "number" ? clamp(s.every_ms) : 0 };
  }
  if (!isPosition(s.from) || !isPosition(s.at) || !Array.isArray(s.frames)) throw new BadFrame("a slot without changes");
  const frames = s.frames.map((f) => read(typeof f === "string" ? JSON.parse(f) : f));
  const updates = frames.filter((f) => f?.type === "update");
  const online = isWhole(s.online, 0, Number.MAX_SAFE_INTEGER) ? s.online : null;
  return { kind: "changes", epoch: epoch(s.epoch), from: s.from, at: s.at, frames: updates, online };
}

/** A pause from a server: never none, never longer than a minute. @param {number} ms */
function clamp(ms) {
  return Math.min(60_000, Math.max(50, Number.isFinite(ms) ? ms : 2_000));
}

export class Slots {
  /** Whether slots are followed. */
  isOn = false;
  /** Whether the last answers were good. */
  isWell = false;
  #due = 0;
  #busy = false;
  /** @type {number | null} */
  #next = null;
  #backoff;
  #loose;
  #run = 0;

  /** @param {Means} means */
  constructor(means) {
    this.means = means;
    this.#backoff = new Backoff(2_000, 30_000, means.random);
    this.#loose = new Backoff(1_000, 30_000, means.random);
  }

  start() {
    if (this.isOn) return;
    this.isOn = true;
    this.#next = null; // Slots of before may be gone, and the picture is cheap.
    this.#due = 0;
    this.#run += 1;
    this.#busy = false;
  }

  stop() {
    this.isOn = this.isWell = false;
  }

  /** @param {number} now */
  tick(now) {
    if (!this.isOn || this.#busy || now < this.#due) return;
    this.#busy = true;
    const run = this.#run;
    this.#step(run).then(
      (pause) => this.#after(run, pause, true),
      (error) => {
        if (error instanceof BadFrame && run === this.#run) this.#next = null; // The picture helps, this slot never will.
        this.#after(run, 500 + this.#backoff.next(), false);
      },
    );
  }

  /** @param {number} run @param {number} pause @param {boolean} isWell */
  #after(run, pause, isWell) {
    if (run !== this.#run) return;
    this.#busy = false;
    this.#due = this.means.now() + pause;
    this.isWell = this.isOn && isWell;
    if (isWell) this.#backoff.reset();
  }

  /** One request. Answers the pause before the next one. @param {number} run */
  async #step(run) {
    if (this.#next === null) {
      const { slot } = await this.means.picture();
      if (slot === null) throw new BadFrame("a picture without a slot");
      this.#next = slot;
      return 0;
    }
    const slot = readSlot(await this.means.slot(this.#next));
    if (!this.isOn || run !== this.#run || this.#next === null) return 0;
    if (slot.kind === "early") {
      // Spread over a fifth of the pause, so that not everybody asks in the same instant.
      return Math.max(slot.inMs, slot.everyMs) * (1 + this.means.random() / 5);
    }
    if (slot.kind === "changes" && this.means.take(slot)) {
      this.#next += 1;
      this.#loose.reset();
      return 0;
    }
    this.#next = null;
    return this.#loose.next();
  }
}

/**
 * Whether a slot follows what is held; else a new picture is needed.
 * @param {{epoch: string, from: string}} slot
 * @param {{epoch: string | null, holds: string | null}} held
 */
export function chains(slot, { epoch: mine, holds }) {
  return mine !== null && holds !== null && slot.epoch === mine && !isNewer(slot.from, holds);
}
