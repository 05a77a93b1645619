// PNG to pixels, by the browser where it gives exact colours back, else by our own arithmetic.
import { isSize } from "./limits.js";
import { toMemory } from "./picture.js";

/** A band is read back at once: far below what iOS allows a canvas. */
const BAND_PIXELS = 4_194_304;

/** @type {ImageBitmapOptions} */
const EXACT = { colorSpaceConversion: "none", premultiplyAlpha: "none" };

/**
 * A canvas for reading pixels back, and its context.
 * @param {number} width
 * @param {number} height
 */
export function surface(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("no canvas");
  context.imageSmoothingEnabled = false;
  return { canvas, context };
}

/** @type {boolean | undefined} */
let exact;

/** Whether what is put onto a canvas can be read back as it was. */
function isExact() {
  if (exact !== undefined) return exact;
  const { context } = surface(64, 64);
  const image = context.createImageData(64, 64);
  const wanted = new Uint32Array(image.data.buffer);
  for (let n = 0; n < wanted.length; n++) wanted[n] = toMemory((n * 2_654_435) & 0xffffff);
  context.putImageData(image, 0, 0);
  const got = new Uint32Array(context.getImageData(0, 0, 64, 64).data.buffer);
  return (exact = got.every((pixel, n) => pixel === wanted[n]));
}

/** @param {ImageBitmap} bitmap */
function readBack(bitmap) {
  const { width, height } = bitmap;
  const memory = new Uint32Array(width * height);
  const rows = Math.min(height, Math.max(1, Math.floor(BAND_PIXELS / width)));
  const { context } = surface(width, rows);
  for (let y = 0; y < height; y += rows) {
    const some = Math.min(rows, height - y);
    context.drawImage(bitmap, 0, y, width, some, 0, 0, width, some);
    memory.set(new Uint32Array(context.getImageData(0, 0, width, some).data.buffer), y * width);
  }
  return memory;
}

/**
 * The size that a PNG says it has: looked at before anything is allocated.
 * @param {Uint8Array} png
 */
function saidSize(png) {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  return png.length > 24 ? { width: view.getUint32(16), height: view.getUint32(20) } : { width: 0, height: 0 };
}

/**
 * What the browser makes of it; null where it can't: too large for it, or options that it lacks.
 * @param {Uint8Array} png
 */
function toBitmap(png) {
  const file = new Blob([/** @type {BlobPart} */ (png)], { type: "image/png" });
  return createImageBitmap(file, EXACT).catch(() => null);
}

/**
 * @param {Uint8Array} png
 * @returns {Promise<import("./http.js").Decoded>}
 */
export async function decode(png) {
  const { width, height } = saidSize(png);
  if (!isSize(width, height)) throw new Error("a picture of an impossible size");
  const bitmap = isExact() ? await toBitmap(png) : null;
  if (!bitmap) return (await import("./png.js")).decodePng(png);
  try {
    return { width: bitmap.width, height: bitmap.height, memory: readBack(bitmap) };
  } finally {
    bitmap.close();
  }
}
