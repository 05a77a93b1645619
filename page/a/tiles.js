// Drawing the picture: tiles that are put again only where something changed. Tiles, because
// browsers of phones refuse large canvases, and because most of a large canvas is not in sight.

const TILE = 512;
const CELL = 32;
const CELLS = TILE / CELL;
/** With more changed cells than this a tile is put as a whole. */
const MANY = 96;
/** Far away a tile is drawn from a small copy, which is renewed at most this often. */
const SMALL = 4;
const SMALL_MS = 500;

/** @param {number} width @param {number} height */
function opaque(width, height) {
  const element = document.createElement("canvas");
  element.width = width;
  element.height = height;
  const context = element.getContext("2d", { alpha: false });
  if (!context) throw new Error("no canvas");
  return context;
}

/**
 * @typedef {{context: CanvasRenderingContext2D, width: number, height: number,
 *   cells: Set<number> | null, small: CanvasRenderingContext2D | null, smallAt: number}} Tile `cells`
 *   changed; null = all of them
 * @typedef {import("./view.js").View} View
 */

export class Tiles {
  #columns = 0;
  /** @type {(Tile | undefined)[]} */
  #tiles = [];
  #cell = new ImageData(CELL, CELL);
  #timer = 0;
  /** Asks for another frame. */
  ask = () => {};

  /** @param {import("./canvas.js").Canvas} canvas */
  constructor(canvas) {
    this.canvas = canvas;
  }

  /** A new picture. */
  reset() {
    const { width, height } = this.canvas.picture;
    const columns = Math.ceil(width / TILE);
    const count = columns * Math.ceil(height / TILE);
    const isSame = columns === this.#columns && count === this.#tiles.length;
    this.#columns = columns;
    const fits = (/** @type {Tile | undefined} */ tile, /** @type {number} */ n) =>
      tile && tile.width === this.#across(n) && tile.height === this.#down(n) ? { ...tile, cells: null, smallAt: -Infinity } : undefined;
    this.#tiles = isSame ? this.#tiles.map(fits) : new Array(count);
  }

  /** @param {number} n */
  #across(n) {
    return Math.min(TILE, this.canvas.picture.width - (n % this.#columns) * TILE);
  }

  /** @param {number} n */
  #down(n) {
    return Math.min(TILE, this.canvas.picture.height - Math.floor(n / this.#columns) * TILE);
  }

  /**
   * A place has to be drawn again.
   * @param {number} x
   * @param {number} y
   */
  mark(x, y) {
    const tile = this.#tiles[Math.floor(y / TILE) * this.#columns + Math.floor(x / TILE)];
    if (!tile?.cells) return;
    tile.cells.add(Math.floor((y % TILE) / CELL) * CELLS + Math.floor((x % TILE) / CELL));
    if (tile.cells.size > MANY) tile.cells = null;
  }

  /** @param {number} n @returns {Tile} */
  #make(n) {
    const [width, height] = [this.#across(n), this.#down(n)];
    const context = opaque(width, height);
    return (this.#tiles[n] = { context, width, height, cells: null, small: null, smallAt: -Infinity });
  }

  /**
   * Copies a rectangle of the picture, with what is painted ahead.
   * @param {ImageData} image
   * @param {number} left
   * @param {number} top
   */
  #copy(image, left, top) {
    const { memory, width, height } = this.canvas.picture;
    const target = new Uint32Array(image.data.buffer);
    const across = Math.min(image.width, width - left);
    const down = Math.min(image.height, height - top);
    for (let row = 0; row < down; row++) {
      const from = (top + row) * width + left;
      target.set(memory.subarray(from, from + across), row * image.width);
    }
    for (const { x, y, rgb } of this.canvas.ahead.pixels) {
      const [column, row] = [x - left, y - top];
      if (column < 0 || row < 0 || column >= across || row >= down) continue;
      image.data.set([rgb >> 16, (rgb >> 8) & 255, rgb & 255], (row * image.width + column) * 4);
    }
  }

  /** @param {Tile} tile @param {number} left @param {number} top */
  #refresh(tile, left, top) {
    if (tile.cells === null) {
      const image = new ImageData(tile.width, tile.height);
      this.#copy(image, left, top);
      tile.context.putImageData(image, 0, 0);
    } else {
      for (const cell of tile.cells) {
        const [x, y] = [(cell % CELLS) * CELL, Math.floor(cell / CELLS) * CELL];
        this.#copy(this.#cell, left + x, top + y);
        tile.context.putImageData(this.#cell, x, y);
      }
    }
    tile.cells = new Set();
  }

  /**
   * What a tile is drawn from, up to date or, far away, nearly so.
   * @param {Tile} tile
   * @param {number} left
   * @param {number} top
   * @param {boolean} isFar
   */
  #source(tile, left, top, isFar) {
    const isStale = tile.cells === null || tile.cells.size > 0;
    const now = performance.now();
    if (isStale && (!isFar || now - tile.smallAt >= SMALL_MS)) this.#refresh(tile, left, top);
    else if (isStale) this.#later();
    if (!isFar) {
      if (isStale) tile.smallAt = -Infinity;
      return tile.context.canvas;
    }
    if (!tile.small || tile.smallAt === -Infinity || (isStale && now - tile.smallAt >= SMALL_MS)) {
      tile.small ??= opaque(Math.ceil(tile.width / SMALL), Math.ceil(tile.height / SMALL));
      tile.small.imageSmoothingQuality = "medium";
      tile.small.drawImage(tile.context.canvas, 0, 0, tile.small.canvas.width, tile.small.canvas.height);
      tile.smallAt = now;
    }
    return tile.small.canvas;
  }

  /** Another frame when small copies may be renewed. */
  #later() {
    if (this.#timer) return;
    this.#timer = window.setTimeout(() => {
      this.#timer = 0;
      this.ask();
    }, SMALL_MS);
  }

  /**
   * Draws what is in sight.
   * @param {CanvasRenderingContext2D} context in pixels of the device
   * @param {View} view
   * @param {number} ratio
   */
  draw(context, view, ratio) {
    const { width, height } = this.canvas.picture;
    if (!width) return;
    const first = view.at(0, 0);
    const last = view.at(view.width, view.height);
    const clamp = (/** @type {number} */ v, /** @type {number} */ most) => Math.min(Math.max(0, Math.floor(v / TILE)), Math.ceil(most / TILE) - 1);
    context.imageSmoothingEnabled = view.scale * ratio < 1;
    for (let row = clamp(first.y, height); row <= clamp(last.y, height); row++) {
      for (let column = clamp(first.x, width); column <= clamp(last.x, width); column++) {
        const n = row * this.#columns + column;
        const tile = this.#tiles[n] ?? this.#make(n);
        const [left, top] = [column * TILE, row * TILE];
        const source = this.#source(tile, left, top, view.scale * ratio * SMALL <= 1.5);
        // Edges are rounded to pixels of the device, so that no seam shows between tiles.
        const from = view.toWindow(left, top);
        const to = view.toWindow(left + tile.width, top + tile.height);
        const [x, y] = [Math.round(from.left * ratio), Math.round(from.top * ratio)];
        const [w, h] = [Math.round(to.left * ratio) - x, Math.round(to.top * ratio) - y];
        context.drawImage(source, x, y, w, h);
      }
    }
  }
}
