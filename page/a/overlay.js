// The template as a layer over the picture, with the wrong pixels marked.
import { brightness, toText } from "./colours.js";
import { surface } from "./decode.js";

/** From this scale on a wrong pixel shows its colour as a dot in its middle. */
const DOT_SCALE = 5;
const WRONG = 0xff00ff;

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./template.js").Template} Template
 */

export class Overlay {
  /** @type {Template | null} */
  template = null;
  /** Where it can be fetched by others; null for a file of this device. @type {string | null} */
  url = null;
  hasMarks = true;
  #image = surface(1, 1);
  #wrong = surface(1, 1);
  #isStale = true;

  /** @param {import("./canvas.js").Canvas} canvas */
  constructor(canvas) {
    this.canvas = canvas;
  }

  /** @param {Template | null} template @param {string | null} url */
  set(template, url) {
    this.template = template;
    this.url = url;
    this.changed();
  }

  /** The template, its place or its colours changed, or there is a new picture. */
  changed() {
    this.#isStale = true;
  }

  /** A place of the canvas changed. @param {number} x @param {number} y */
  mark(x, y) {
    const { template } = this;
    const wished = template && !this.#isStale ? template.at(x, y) : null;
    if (!template || wished === null) return;
    const [left, top] = [x - template.x, y - template.y];
    if (this.canvas.shown(x, y) === wished) this.#wrong.context.clearRect(left, top, 1, 1);
    else this.#wrong.context.fillRect(left, top, 1, 1);
  }

  /** @param {Template} template */
  #renew(template) {
    this.#isStale = false;
    const { width, height } = template;
    this.#image = surface(width, height);
    this.#wrong = surface(width, height);
    const image = new ImageData(width, height);
    const wrong = new ImageData(width, height);
    const put = (/** @type {ImageData} */ data, /** @type {number} */ n, /** @type {number} */ rgb) =>
      data.data.set([rgb >> 16, (rgb >> 8) & 255, rgb & 255, 255], n * 4);
    template.colours.forEach((rgb, n) => {
      if (rgb >= 0 && (template.only === null || rgb === template.only)) put(image, n, rgb);
    });
    for (const { x, y } of template.wrong(this.canvas.picture, (x, y) => this.canvas.shown(x, y))) {
      put(wrong, (y - template.y) * width + x - template.x, WRONG);
    }
    this.#image.context.putImageData(image, 0, 0);
    this.#wrong.context.putImageData(wrong, 0, 0);
    this.#wrong.context.fillStyle = toText(WRONG);
  }

  /** @param {CanvasRenderingContext2D} context @param {View} view @param {number} ratio */
  draw(context, view, ratio) {
    const { template } = this;
    if (!template) return;
    if (this.#isStale) this.#renew(template);
    const { left, top } = view.toWindow(template.x, template.y);
    const put = (/** @type {HTMLCanvasElement} */ image) =>
      context.drawImage(image, left * ratio, top * ratio, template.width * view.scale * ratio, template.height * view.scale * ratio);
    context.imageSmoothingEnabled = false;
    context.globalAlpha = template.opacity / 100;
    put(this.#image.canvas);
    context.globalAlpha = 1;
    context.lineWidth = ratio;
    context.strokeStyle = toText(WRONG);
    context.strokeRect(left * ratio, top * ratio, template.width * view.scale * ratio, template.height * view.scale * ratio);
    if (!this.hasMarks) return;
    if (view.scale < DOT_SCALE) {
      context.globalAlpha = 0.75;
      put(this.#wrong.canvas);
      context.globalAlpha = 1;
    } else this.#dots(context, view, ratio, template);
  }

  /** @param {CanvasRenderingContext2D} context @param {View} view @param {number} ratio @param {Template} template */
  #dots(context, view, ratio, template) {
    const first = view.at(0, 0);
    const last = view.at(view.width, view.height);
    const size = Math.max(2, Math.round(view.scale * 0.4 * ratio));
    for (let y = Math.floor(first.y); y <= last.y; y++) {
      for (let x = Math.floor(first.x); x <= last.x; x++) {
        const wished = this.canvas.picture.holds(x, y) ? template.at(x, y) : null;
        if (wished === null || this.canvas.shown(x, y) === wished) continue;
        const { left, top } = view.toWindow(x + 0.5, y + 0.5);
        const [l, t] = [Math.round(left * ratio - size / 2), Math.round(top * ratio - size / 2)];
        context.fillStyle = brightness(wished) > 128 ? "#111" : "#fff";
        context.fillRect(l - 1, t - 1, size + 2, size + 2);
        context.fillStyle = toText(wished);
        context.fillRect(l, t, size, size);
      }
    }
  }
}
