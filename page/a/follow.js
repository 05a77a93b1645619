// What this client holds of the canvas: which frames apply, which wait, which say nothing new.
// It knows positions and epochs, and nothing of pixels, sockets or time.
import { BadFrame } from "./frames.js";
import { compare, isNewer } from "./position.js";

/**
 * @typedef {import("./frames.js").Init} Init
 * @typedef {import("./frames.js").Update} Update
 * @typedef {{epoch: string, at: string, first: number}} Taken
 * @typedef {Taken & {width: number, height: number, png: Uint8Array}} Whole
 * @typedef {{epoch: string, at: string, parts: number, width: number, height: number,
 *   first: number, got: Map<number, Uint8Array>}} Parts
 */

/** More waiting updates than this are no gap any more: the client starts afresh. */
const MOST_KEPT = 20_000;

/** @param {Iterable<Uint8Array>} pieces */
function join(pieces) {
  const all = [...pieces];
  const out = new Uint8Array(all.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of all) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

export class Follow {
  /** The epoch of what is held; null before the first picture. @type {string | null} */
  epoch = null;
  /** The position that is held. @type {string | null} */
  holds = null;
  #came = 0;
  /** @type {{seq: number, frame: Update}[]} */
  #kept = [];
  /** @type {Map<string, Parts>} */
  #sets = new Map();

  /** Whether updates wait for one that is missing. */
  get hasGap() {
    const { holds } = this;
    return holds !== null && this.#kept.some((k) => isNewer(k.frame.from, holds));
  }

  /** How many frames came: what a picture fetched otherwise gives as its `first`. */
  get came() {
    return this.#came;
  }

  /** A new connection starts with nothing that was on its way on the one before. */
  reconnected() {
    this.#kept = [];
    this.#sets.clear();
  }

  /** Forgets the position: the next picture replaces everything, whatever it says. */
  forget() {
    this.epoch = null;
    this.holds = null;
    this.reconnected();
  }

  /**
   * Takes in a part of a picture. Answers the picture once all of its parts are here.
   * @param {Init} f
   * @returns {Whole | null}
   */
  init(f) {
    const seq = ++this.#came;
    const key = `${f.epoch} ${f.at} ${f.parts}`;
    let set = this.#sets.get(key);
    if (!set) {
      set = { ...f, first: seq, got: new Map() };
      this.#sets.set(key, set);
    }
    if (set.width !== f.width || set.height !== f.height) throw new BadFrame("parts of two sizes");
    set.got.set(f.part, f.data);
    if (set.got.size < set.parts) return null;
    const { epoch, at, width, height, first, got, parts } = set;
    const png = join(Array.from({ length: parts }, (_, n) => got.get(n + 1) ?? new Uint8Array()));
    got.clear(); // The set stays until the picture is taken: it marks what came after it began.
    return { epoch, at, width, height, first, png };
  }

  /**
   * Whether a picture would replace what is held.
   * @param {{epoch: string, at: string}} picture
   */
  wants({ epoch, at }) {
    return this.holds === null || epoch !== this.epoch || isNewer(at, this.holds);
  }

  /**
   * A picture was shown: from now on it is what is held. Answers the records to paint over it.
   * @param {Taken} picture
   * @returns {Uint8Array[]}
   */
  take({ epoch, at, first }) {
    if (this.holds !== null && epoch !== this.epoch) {
      this.#kept = this.#kept.filter((k) => k.seq > first);
      this.#sets.clear();
    }
    this.epoch = epoch;
    this.holds = at;
    this.dropSets(epoch, at);
    return this.#advance();
  }

  /**
   * Forgets the parts of pictures that are not newer than a position.
   * @param {string} epoch
   * @param {string} at
   */
  dropSets(epoch, at) {
    for (const [key, set] of this.#sets) {
      if (set.epoch === epoch && compare(set.at, at) <= 0) this.#sets.delete(key);
    }
  }

  /**
   * Takes in changes: now, later or not at all. Answers the records to paint, in order.
   * @param {Update} frame
   * @returns {Uint8Array[]}
   */
  update(frame) {
    this.#kept.push({ seq: ++this.#came, frame });
    if (this.#kept.length > MOST_KEPT) throw new BadFrame("too many updates wait");
    return this.#advance();
  }

  #advance() {
    /** @type {Uint8Array[]} */
    const out = [];
    if (this.holds === null) return out;
    if (this.#kept.length > 1) this.#kept.sort((a, b) => compare(a.frame.from, b.frame.from));
    for (const { frame } of this.#kept) {
      if (isNewer(frame.from, this.holds)) break;
      if (!isNewer(frame.at, this.holds)) continue;
      out.push(frame.data);
      this.holds = frame.at;
    }
    // Where a picture of another epoch is on its way, what came after its beginning is its too.
    let others = Infinity;
    for (const set of this.#sets.values()) {
      if (set.epoch !== this.epoch) others = Math.min(others, set.first);
    }
    const holds = this.holds;
    this.#kept = this.#kept.filter((k) => isNewer(k.frame.from, holds) || k.seq > others);
    return out;
  }
}
