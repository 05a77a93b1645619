// The canvas of this client: frames, pictures and slots become pixels, and settle what was painted
// ahead. It knows nothing of connections or time.
import { Ahead } from "./ahead.js";
import { Follow } from "./follow.js";
import { BadFrame } from "./frames.js";
import { Picture } from "./picture.js";
import { chains } from "./slots.js";

/**
 * @typedef {import("./frames.js").Init} Init
 * @typedef {import("./frames.js").Update} Update
 * @typedef {import("./http.js").Decoded} Decoded
 * @typedef {import("./http.js").Fetched} Fetched
 * @typedef {import("./follow.js").Whole} Whole
 * @typedef {import("./ahead.js").Pixel} Pixel
 */

export class Canvas {
  follow = new Follow();
  picture = new Picture();
  ahead = new Ahead();
  /** Told of every change of others or ours that came: for the heat map. @type {(x: number, y: number) => void} */
  onChange = () => {};
  #decoding = Promise.resolve();
  #generation = 0;

  /** @param {(png: Uint8Array) => Promise<Decoded>} decode */
  constructor(decode) {
    this.decode = decode;
  }

  get isReady() {
    return this.picture.width > 0;
  }

  /**
   * The colour that is shown at a place: ours where we painted ahead.
   * @param {number} x
   * @param {number} y
   */
  shown(x, y) {
    return this.ahead.at(x, y) ?? this.picture.get(x, y);
  }

  /** What was on its way on the connection before is forgotten. */
  reconnected() {
    this.#generation += 1;
    this.follow.reconnected();
  }

  /** The next picture replaces everything. */
  forget() {
    this.reconnected();
    this.follow.forget();
  }

  /**
   * Takes in a part of a picture. `done` is told once the picture is held.
   * @param {Init} frame
   * @param {() => void} done
   * @param {(error: unknown) => void} failed
   */
  init(frame, done, failed) {
    const whole = this.follow.init(frame);
    if (!whole) return;
    const generation = this.#generation;
    const show = async () => {
      if (generation !== this.#generation) return;
      if (this.follow.wants(whole)) {
        const picture = await this.decode(whole.png);
        if (generation !== this.#generation) return;
        if (picture.width !== whole.width || picture.height !== whole.height) {
          throw new BadFrame("a picture of another size than its frames say");
        }
        if (this.follow.wants(whole)) this.#take(picture, whole);
      }
      this.follow.dropSets(whole.epoch, whole.at);
      done();
    };
    this.#decoding = this.#decoding.then(show).catch((error) => {
      if (generation === this.#generation) failed(error);
    });
  }

  /**
   * A picture that was fetched. Dropped where it says nothing new.
   * @param {Fetched} picture
   */
  fetched(picture) {
    if (this.follow.wants(picture)) this.#take(picture, { ...picture, first: this.follow.came });
  }

  /** @param {Decoded} picture @param {import("./follow.js").Taken} taken */
  #take(picture, taken) {
    this.picture.replace(picture);
    for (const records of this.follow.take(taken)) this.#paint(records);
    this.ahead.picture((x, y) => this.picture.get(x, y));
  }

  /** @param {Update} frame */
  update(frame) {
    for (const records of this.follow.update(frame)) this.#paint(records);
  }

  /**
   * The changes of a slot. Answers whether they could be chained.
   * @param {{epoch: string, from: string, at: string, frames: Update[]}} slot
   */
  slot(slot) {
    if (!chains(slot, this.follow)) return false;
    for (const frame of slot.frames) this.update(frame);
    return chains({ epoch: slot.epoch, from: slot.at }, this.follow);
  }

  /** @param {Uint8Array} records */
  #paint(records) {
    this.picture.paint(records, (x, y, rgb) => {
      this.onChange(x, y);
      for (const settled of this.ahead.seen(x, y, rgb)) this.picture.onPlace(settled.x, settled.y);
    });
  }

  /**
   * Pixels are no longer shown ahead: their places are drawn again.
   * @param {Pixel[]} pixels
   */
  redraw(pixels) {
    for (const { x, y } of pixels) if (this.picture.holds(x, y)) this.picture.onPlace(x, y);
  }
}
