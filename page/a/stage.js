// The window's canvas: draws its layers once a frame, and only when something changed.

/**
 * @typedef {import("./view.js").View} View
 * @typedef {{draw: (context: CanvasRenderingContext2D, view: View, ratio: number) => void}} Layer
 */

/** More pixels than this to a CSS pixel cost battery and are not seen. */
const MOST_RATIO = 3;

export class Stage {
  #asked = false;
  #ratio = 1;
  /** Told before each frame that is drawn. */
  onFrame = () => {};

  /**
   * @param {HTMLCanvasElement} element
   * @param {View} view
   * @param {Layer[]} layers from the lowest to the highest
   */
  constructor(element, view, layers) {
    const context = element.getContext("2d", { alpha: false });
    if (!context) throw new Error("no canvas");
    this.element = element;
    this.context = context;
    this.view = view;
    this.layers = layers;
    new ResizeObserver(() => this.#resize()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#resize());
    this.#resize();
  }

  #resize() {
    const { element, view } = this;
    this.#ratio = Math.min(MOST_RATIO, devicePixelRatio || 1);
    view.width = element.clientWidth || 1;
    view.height = element.clientHeight || 1;
    element.width = Math.round(view.width * this.#ratio);
    element.height = Math.round(view.height * this.#ratio);
    this.around = getComputedStyle(document.documentElement).getPropertyValue("--around").trim();
    this.draw();
  }

  /** Something changed: draws with the next frame. */
  ask() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.#asked = false;
    this.onFrame();
    const { context, element, view } = this;
    context.globalAlpha = 1;
    context.fillStyle = this.around ?? "";
    context.fillRect(0, 0, element.width, element.height);
    for (const layer of this.layers) layer.draw(context, view, this.#ratio);
  }
}
