// The heat map as a layer over the picture.
import { surface } from "./decode.js";

const RENEW_MS = 1_000;

export class Warmth {
  isOn = false;
  #image = surface(1, 1);
  #drawn = -Infinity;

  /** @param {import("./heat.js").Heat} heat */
  constructor(heat) {
    this.heat = heat;
  }

  /** @param {CanvasRenderingContext2D} context @param {import("./view.js").View} view @param {number} ratio */
  draw(context, view, ratio) {
    const { heat } = this;
    if (!this.isOn || !heat.width) return;
    const now = Date.now();
    if (now - this.#drawn >= RENEW_MS || this.#image.canvas.width !== heat.width || this.#image.canvas.height !== heat.height) {
      this.#drawn = now;
      this.#image = surface(heat.width, heat.height);
      this.#image.context.putImageData(new ImageData(heat.rgba(now), heat.width, heat.height), 0, 0);
    }
    const { left, top } = view.toWindow(0, 0);
    const step = heat.cell * view.scale * ratio;
    context.save();
    context.beginPath();
    context.rect(left * ratio, top * ratio, view.canvas.width * view.scale * ratio, view.canvas.height * view.scale * ratio);
    context.clip();
    context.imageSmoothingEnabled = false;
    context.drawImage(this.#image.canvas, left * ratio, top * ratio, heat.width * step, heat.height * step);
    context.restore();
  }
}
