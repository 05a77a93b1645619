// `globalThis.place`: what this page shows and holds, to be read by tests and by the curious.
// It can be read only; nothing of the page depends on it.
import { toText } from "./colours.js";

/** @param {import("./session.js").Session} session */
export function expose(session) {
  const { canvas } = session;
  const place = {
    /** The position that is held. */
    get holds() {
      return canvas.follow.holds;
    },
    get epoch() {
      return canvas.follow.epoch;
    },
    get width() {
      return canvas.picture.width;
    },
    get height() {
      return canvas.picture.height;
    },
    get state() {
      return session.state;
    },
    get online() {
      return session.online;
    },
    /** How many messages are not settled. */
    get settled() {
      return canvas.ahead.size;
    },
    /** The colour that is shown at a place. @param {number} x @param {number} y */
    pixel(x, y) {
      return toText(canvas.shown(x, y));
    },
    /** What is shown, three bytes a pixel, row by row. */
    pixels() {
      const { width, height } = canvas.picture;
      const out = new Uint8Array(width * height * 3);
      for (let at = 0; at < width * height; at++) {
        const rgb = canvas.shown(at % width, Math.floor(at / width));
        out.set([rgb >> 16, (rgb >> 8) & 255, rgb & 255], at * 3);
      }
      return out;
    },
  };
  Object.defineProperty(globalThis, "place", { value: Object.freeze(place), enumerable: true });
}
