// Frames of the server: from text to checked objects.
import { isPosition, isNewer } from "./position.js";
import { MAX_PARTS, MAX_TEXT, isSize, isWhole } from "./limits.js";

/**
 * @typedef {{type: "init", epoch: string, at: string, width: number, height: number, part: number,
 *   parts: number, data: Uint8Array}} Init
 * @typedef {{type: "update", from: string, at: string, data: Uint8Array}} Update
 * @typedef {{type: "resume", from: string}} Resume
 * @typedef {{type: "resumed", at: string}} Resumed
 * @typedef {{type: "reload", at: string | null}} Reload
 * @typedef {{type: "pong", at: string, epoch: string, online: number | null}} Pong
 * @typedef {{type: "notice", text: string}} Notice
 * @typedef {{type: "error", code: string, message: string, name: string | null,
 *   x: number | null, y: number | null, retryMs: number | null}} Refusal
 * @typedef {Init | Update | Resume | Resumed | Reload | Pong | Notice | Refusal} Frame
 */

/** Bytes of a pixel record: x, y (two bytes each), red, green, blue. */
export const RECORD = 7;

/** A frame of a known type that can't be read: a reason to reconnect. */
export class BadFrame extends Error {}

/**
 * @param {unknown} ok
 * @param {string} what
 * @returns {asserts ok}
 */
function must(ok, what) {
  if (!ok) throw new BadFrame(what);
}

/**
 * Bytes of a base64 text.
 * @param {unknown} text
 */
export function bytes(text) {
  must(typeof text === "string", "data is no text");
  try {
    const letters = atob(text);
    const out = new Uint8Array(letters.length);
    for (let at = 0; at < out.length; at++) out[at] = letters.charCodeAt(at);
    return out;
  } catch {
    throw new BadFrame("data is no base64");
  }
}

/**
 * The identity of a canvas; servers of before epochs give none.
 * @param {unknown} value
 */
export function epoch(value) {
  if (value === undefined || value === null) return "";
  must(typeof value === "string" && /^[0-9a-f]{16,32}$/i.test(value), "an epoch is not hexadecimal");
  return value;
}

/**
 * @param {unknown} value
 * @param {number} most
 */
export function shortText(value, most = MAX_TEXT) {
  return typeof value === "string" ? value.slice(0, most) : "";
}

/** @type {Record<string, (f: Record<string, unknown>) => Frame>} */
const READERS = {
  init(f) {
    must(isPosition(f.at), "a picture without a position");
    must(isSize(f.width, f.height), "a picture of an impossible size");
    must(isWhole(f.parts, 1, MAX_PARTS) && isWhole(f.part, 1, f.parts), "a part out of range");
    const { at, part, parts } = f;
    const [width, height] = [Number(f.width), Number(f.height)];
    return { type: "init", epoch: epoch(f.epoch), at, width, height, part, parts, data: bytes(f.data) };
  },
  update(f) {
    must(isPosition(f.from) && isPosition(f.at), "an update without positions");
    must(isNewer(f.at, f.from), "an update that leads nowhere");
    const data = bytes(f.data);
    must(data.length % RECORD === 0, "an update that is no run of records");
    return { type: "update", from: f.from, at: f.at, data };
  },
  resume(f) {
    return { type: "resume", from: isPosition(f.from) ? f.from : "0-0" };
  },
  resumed(f) {
    must(isPosition(f.at), "a resumption without a position");
    return { type: "resumed", at: f.at };
  },
  reload(f) {
    return { type: "reload", at: isPosition(f.at) ? f.at : null };
  },
  pong(f) {
    must(isPosition(f.at), "a pong without a position");
    const online = isWhole(f.online, 0, Number.MAX_SAFE_INTEGER) ? f.online : null;
    return { type: "pong", at: f.at, epoch: epoch(f.epoch), online };
  },
  notice(f) {
    return { type: "notice", text: shortText(f.text) };
  },
  error(f) {
    const retryMs = retryOf(f);
    const [x, y] = [f.x, f.y].map((v) => (isWhole(v, 0, 65535) ? v : null));
    const name = typeof f.name === "string" ? f.name : null;
    const code = shortText(f.code, 64);
    return { type: "error", code, message: shortText(f.message), name, x: x ?? null, y: y ?? null, retryMs };
  },
};

/**
 * The pause that a cool-down asks for, at most a day.
 * @param {Record<string, unknown>} f
 */
function retryOf(f) {
  const said = typeof f.retry_ms === "number" ? f.retry_ms : Number(/wait (\d+) ms/.exec(shortText(f.message))?.[1]);
  return Number.isFinite(said) && said >= 0 ? Math.min(said, 86_400_000) : null;
}

/**
 * A frame, or null where it is to be ignored.
 * @param {unknown} value
 * @returns {Frame | null}
 */
export function read(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const frame = /** @type {Record<string, unknown>} */ (value);
  if (typeof frame.type !== "string" || !Object.hasOwn(READERS, frame.type)) return null;
  return READERS[frame.type]?.(frame) ?? null;
}

/**
 * A frame from the text of a message, or null where it is to be ignored.
 * @param {unknown} text
 */
export function decode(text) {
  if (typeof text !== "string") return null;
  try {
    return read(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * The message that paints one pixel.
 * @param {{x: number, y: number, rgb: number, name: string}} pixel
 */
export function paintMessage({ x, y, rgb, name }) {
  const data = [{ x, y, r: rgb >> 16, g: (rgb >> 8) & 255, b: rgb & 255 }];
  return JSON.stringify({ action: "sendMessage", data, name });
}

/** The message that a pong answers. */
export const PING = JSON.stringify({ action: "sendMessage", ping: true });
