// What is drawn over the picture: its edge, the grid, the crosshair, and places that were refused.
import { brightness, toText } from "./colours.js";
import { GRID_SCALE } from "./view.js";

const FLASH_MS = 900;

/** @typedef {import("./view.js").View} View */

export class Marks {
  /** The pixel that would be painted. @type {{x: number, y: number} | null} */
  cross = null;
  /** The colour that is chosen. @type {number | null} */
  colour = null;
  hasGrid = true;
  /** @type {{x: number, y: number, until: number}[]} */
  #refused = [];
  /** Asks for another frame. */
  ask = () => {};

  /** Shows that a place was refused. @param {number} x @param {number} y */
  refuse(x, y) {
    this.#refused.push({ x, y, until: performance.now() + FLASH_MS });
    setTimeout(() => this.ask(), FLASH_MS + 20);
    this.ask();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {View} view
   * @param {number} ratio
   */
  draw(context, view, ratio) {
    if (view.canvas.width <= 1) return;
    const snap = (/** @type {number} */ v) => Math.round(v * ratio);
    const corner = view.toWindow(0, 0);
    const end = view.toWindow(view.canvas.width, view.canvas.height);
    context.lineWidth = 1;
    context.strokeStyle = "rgb(128 128 140 / 0.5)";
    context.strokeRect(snap(corner.left) - 0.5, snap(corner.top) - 0.5, snap(end.left) - snap(corner.left) + 1, snap(end.top) - snap(corner.top) + 1);
    if (this.hasGrid && view.scale >= GRID_SCALE) this.#grid(context, view, ratio);
    const now = performance.now();
    this.#refused = this.#refused.filter((r) => r.until > now);
    for (const { x, y } of this.#refused) this.#frame(context, view, ratio, { x, y }, "#e5342e", 4);
    if (this.cross) this.#cross(context, view, ratio, this.cross);
  }

  /** @param {CanvasRenderingContext2D} context @param {View} view @param {number} ratio */
  #grid(context, view, ratio) {
    const first = view.at(0, 0);
    const last = view.at(view.width, view.height);
    const [x0, y0] = [Math.max(0, Math.floor(first.x)), Math.max(0, Math.floor(first.y))];
    const [x1, y1] = [Math.min(view.canvas.width, Math.ceil(last.x)), Math.min(view.canvas.height, Math.ceil(last.y))];
    const start = view.toWindow(x0, y0);
    const end = view.toWindow(x1, y1);
    context.strokeStyle = "rgb(128 128 128 / 0.3)";
    context.beginPath();
    for (let x = x0; x <= x1; x++) {
      const at = Math.round(view.toWindow(x, 0).left * ratio) + 0.5;
      context.moveTo(at, start.top * ratio);
      context.lineTo(at, end.top * ratio);
    }
    for (let y = y0; y <= y1; y++) {
      const at = Math.round(view.toWindow(0, y).top * ratio) + 0.5;
      context.moveTo(start.left * ratio, at);
      context.lineTo(end.left * ratio, at);
    }
    context.stroke();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {View} view
   * @param {number} ratio
   * @param {{x: number, y: number}} place
   * @param {string} colour
   * @param {number} width
   */
  #frame(context, view, ratio, { x, y }, colour, width) {
    const { left, top } = view.toWindow(x, y);
    const size = Math.max(view.scale, 8);
    const shift = (size - view.scale) / 2;
    context.strokeStyle = colour;
    context.lineWidth = width * ratio;
    context.strokeRect(Math.round((left - shift) * ratio), Math.round((top - shift) * ratio), Math.round(size * ratio), Math.round(size * ratio));
  }

  /** @param {CanvasRenderingContext2D} context @param {View} view @param {number} ratio @param {{x: number, y: number}} place */
  #cross(context, view, ratio, place) {
    const { left, top } = view.toWindow(place.x, place.y);
    if (this.colour !== null && view.scale >= 3) {
      const inset = view.scale * 0.22;
      const size = (view.scale - inset * 2) * ratio;
      context.fillStyle = toText(this.colour);
      context.fillRect((left + inset) * ratio, (top + inset) * ratio, size, size);
      context.lineWidth = ratio;
      context.strokeStyle = brightness(this.colour) > 128 ? "rgb(0 0 0 / 0.5)" : "rgb(255 255 255 / 0.6)";
      context.strokeRect((left + inset) * ratio, (top + inset) * ratio, size, size);
    }
    this.#frame(context, view, ratio, place, "#fff", 4);
    this.#frame(context, view, ratio, place, "#111", 2);
  }
}
