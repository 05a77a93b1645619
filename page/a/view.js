// The view: which place of the canvas is in the middle of the window, and how near.

export const MOST_NEAR = 64;
/** From this scale on a click paints; further away it comes nearer. */
export const PAINT_SCALE = 6;
/** From this scale on the grid is drawn. */
export const GRID_SCALE = 10;

export class View {
  /** The place in the middle, in pixels of the canvas. */
  x = 0;
  y = 0;
  /** CSS pixels to a pixel of the canvas. */
  scale = 1;
  /** The window, in CSS pixels. */
  width = 1;
  height = 1;
  canvas = { width: 1, height: 1 };

  /** The scale that shows the whole canvas. */
  get whole() {
    return Math.min(this.width / this.canvas.width, this.height / this.canvas.height) * 0.9;
  }

  get leastNear() {
    return Math.min(1, this.whole / 2);
  }

  /** Shows the whole canvas. */
  fit() {
    this.moveTo(this.canvas.width / 2, this.canvas.height / 2, Math.min(this.whole, MOST_NEAR));
  }

  /**
   * Puts a place into the middle.
   * @param {number} x
   * @param {number} y
   * @param {number} scale
   */
  moveTo(x, y, scale = this.scale) {
    const near = Number.isFinite(scale) ? scale : this.scale;
    this.scale = Math.min(MOST_NEAR, Math.max(this.leastNear, near));
    this.x = Math.min(this.canvas.width, Math.max(0, Number.isFinite(x) ? x : 0));
    this.y = Math.min(this.canvas.height, Math.max(0, Number.isFinite(y) ? y : 0));
  }

  /**
   * Moves by a way on the window.
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    this.moveTo(this.x - dx / this.scale, this.y - dy / this.scale);
  }

  /**
   * Comes nearer by a factor; what is at a point of the window stays there.
   * @param {number} factor
   * @param {number} left
   * @param {number} top
   */
  zoom(factor, left = this.width / 2, top = this.height / 2) {
    const before = this.at(left, top);
    this.moveTo(this.x, this.y, this.scale * factor);
    const after = this.at(left, top);
    this.moveTo(this.x + before.x - after.x, this.y + before.y - after.y);
  }

  /**
   * The point of the canvas at a point of the window.
   * @param {number} left
   * @param {number} top
   */
  at(left, top) {
    return { x: this.x + (left - this.width / 2) / this.scale, y: this.y + (top - this.height / 2) / this.scale };
  }

  /**
   * The point of the window of a point of the canvas.
   * @param {number} x
   * @param {number} y
   */
  toWindow(x, y) {
    return { left: (x - this.x) * this.scale + this.width / 2, top: (y - this.y) * this.scale + this.height / 2 };
  }

  /**
   * Moves as little as it takes for a place to be seen with some margin.
   * @param {number} x
   * @param {number} y
   */
  show(x, y) {
    const { left, top } = this.toWindow(x + 0.5, y + 0.5);
    const [across, down] = [Math.min(120, this.width / 4), Math.min(160, this.height / 4)];
    const over = (/** @type {number} */ at, /** @type {number} */ margin, /** @type {number} */ size) =>
      Math.min(0, at - margin) + Math.max(0, at - (size - margin));
    this.pan(-over(left, across, this.width), -over(top, down, this.height));
  }
}
