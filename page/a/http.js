// What is fetched over HTTP: configuration, picture, slots, pixels; checked before it is believed.
import { epoch, shortText } from "./frames.js";
import { isSize, isWhole } from "./limits.js";
import { compare, isPosition } from "./position.js";

/**
 * @typedef {{socket: string | null, epoch: string | null, width: number, height: number,
 *   palette: number[], cooldownMs: number, keepaliveMs: number, title: string, imprint: string | null,
 *   privacy: string | null, notice: string, page: string, full: boolean, online: number | null,
 *   slotMs: number, bands: number, background: number}} Config
 * @typedef {{width: number, height: number, memory: Uint32Array<ArrayBuffer>}} Decoded
 * @typedef {Decoded & {epoch: string, at: string, slot: number | null}} Fetched
 * @typedef {{rgb: string, by: string | null, at: string | null}} Painted
 * @typedef {Record<string, unknown>} Any
 */

/** An answer that is not what was asked for: a captive portal, a server of another time, an outage. */
export class BadAnswer extends Error {}

/** A canvas that this page can't show. */
export class TooLarge extends BadAnswer {}

/** @param {unknown} value */
function colour(value) {
  return typeof value === "string" && /^#[0-9a-f]{6}$/i.test(value) ? parseInt(value.slice(1), 16) : null;
}

/** An address that may be a link or a socket, or null. @param {unknown} value @param {RegExp} schemes */
function address(value, schemes) {
  if (typeof value !== "string") return null;
  try {
    const url = new URL(value);
    return schemes.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * @param {unknown} value
 * @param {number} fallback
 * @param {number} least
 * @param {number} most
 */
function whole(value, fallback, least, most) {
  return isWhole(value, least, most) ? value : fallback;
}

/**
 * @param {unknown} value
 * @returns {Config}
 */
export function readConfig(value) {
  const c = asObject(value);
  if (!isSize(c.width, c.height)) {
    const isLarge = isWhole(c.width, 1, 65535) && isWhole(c.height, 1, 65535);
    throw isLarge ? new TooLarge("a canvas that is too large") : new BadAnswer("a canvas of an impossible size");
  }
  const palette = Array.isArray(c.palette) ? c.palette.slice(0, 256).map(colour).filter((v) => v !== null) : [];
  return {
    socket: address(c.socket, /^wss?:$/),
    epoch: typeof c.epoch === "string" ? c.epoch : null,
    width: Number(c.width),
    height: Number(c.height),
    background: colour(c.background) ?? 0xffffff,
    palette: [...new Set(palette)],
    cooldownMs: whole(c.cooldown_ms, 0, 0, 86_400_000),
    keepaliveMs: whole(c.keepalive_s, 240, 10, 590) * 1000,
    title: shortText(c.title, 200),
    imprint: address(c.imprint, /^(https?|mailto):$/),
    privacy: address(c.privacy, /^(https?|mailto):$/),
    notice: shortText(c.notice),
    page: shortText(c.page, 128),
    full: c.full === true,
    online: isWhole(c.online, 0, Number.MAX_SAFE_INTEGER) ? c.online : null,
    slotMs: whole(c.slot_ms, 2000, 100, 60_000),
    bands: whole(c.bands, 1, 1, 64),
  };
}

/** @param {unknown} value @returns {Any} */
function asObject(value) {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return /** @type {Any} */ (value);
  throw new BadAnswer("no JSON object");
}

export class Http {
  /**
   * @param {string} base every address is relative to this one
   * @param {{get: (url: string, init: RequestInit) => Promise<Response>,
   *   decode: (png: Uint8Array) => Promise<Decoded>}} means
   */
  constructor(base, { get, decode }) {
    this.base = base;
    this.get = get;
    this.decode = decode;
  }

  /** @param {string} path @param {number} within */
  async #get(path, within) {
    const answer = await this.get(new URL(path, this.base).href, { signal: AbortSignal.timeout(within) });
    if (!answer.ok) throw new BadAnswer(`${path}: ${answer.status}`);
    return answer;
  }

  /** @param {string} path */
  async #json(path) {
    const answer = await this.#get(path, 15_000);
    return asObject(await answer.json());
  }

  async config() {
    return readConfig(await this.#json("config.json"));
  }

  /** One slot, unread. @param {number} n */
  slot(n) {
    return this.#json(`slots/${n}`);
  }

  /**
   * Who painted a place, the newest first.
   * @param {number} x
   * @param {number} y
   * @returns {Promise<Painted[]>}
   */
  async pixel(x, y) {
    const answer = await this.#json(`pixels/${x}/${y}`);
    const before = Array.isArray(answer.before) ? answer.before.slice(0, 50) : [];
    return [answer, ...before].map(asObject).flatMap((p) => {
      if (colour(p.rgb) === null) return [];
      const by = shortText(p.by, 16) || null;
      return [{ rgb: String(p.rgb), by, at: isPosition(p.at) ? p.at : null }];
    });
  }

  /** @param {string} path @returns {Promise<Fetched>} */
  async #band(path) {
    const answer = await this.#get(path, 60_000);
    const at = answer.headers.get("x-place-at");
    const slot = Number(answer.headers.get("x-place-slot") ?? NaN);
    if (!isPosition(at)) throw new BadAnswer(`${path}: no position`);
    const picture = await this.decode(new Uint8Array(await answer.arrayBuffer()));
    const id = epoch(answer.headers.get("x-place-epoch") ?? undefined);
    return { ...picture, at, epoch: id, slot: Number.isSafeInteger(slot) ? slot : null };
  }

  /**
   * The whole picture.
   * @param {number} bands
   * @returns {Promise<Fetched>}
   */
  async picture(bands) {
    if (bands <= 1) return this.#band("canvas.png");
    const all = [];
    for (let n = 0; n < bands; n += 3) {
      const some = Array.from({ length: Math.min(3, bands - n) }, (_, i) => this.#band(`canvas/${n + i}.png`));
      all.push(...(await Promise.all(some)));
    }
    return stack(all);
  }
}

/**
 * Bands from the top down as one picture, as of the lowest of their positions.
 * @param {Fetched[]} bands
 * @returns {Fetched}
 */
export function stack(bands) {
  const [first] = bands;
  if (!first || bands.some((b) => b.width !== first.width || b.epoch !== first.epoch)) {
    throw new BadAnswer("bands of two pictures");
  }
  const height = bands.reduce((sum, b) => sum + b.height, 0);
  if (!isSize(first.width, height)) throw new BadAnswer("bands of an impossible size");
  const memory = new Uint32Array(first.width * height);
  let filled = 0;
  for (const band of bands) {
    memory.set(band.memory, filled);
    filled += band.memory.length;
  }
  const lowest = bands.reduce((a, b) => (compare(b.at, a.at) < 0 ? b : a));
  const slots = bands.map((b) => b.slot).filter((s) => s !== null);
  return { ...first, height, memory, at: lowest.at, slot: slots.length === bands.length ? Math.min(...slots) : null };
}
