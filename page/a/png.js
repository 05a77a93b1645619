// A PNG decoder in plain arithmetic, for browsers that don't give exact colours back: some falsify
// what is read from a canvas, to make people harder to recognise. Reads what the server sends: 8
// bits of red, green and blue, or a palette; no transparency, no interlacing.
import { BadFrame } from "./frames.js";
import { isSize } from "./limits.js";
import { toMemory } from "./picture.js";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** @param {Uint8Array} png */
function chunks(png) {
  if (SIGNATURE.some((byte, at) => png[at] !== byte)) throw new BadFrame("no PNG");
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  /** @type {{kind: string, data: Uint8Array}[]} */
  const out = [];
  for (let at = 8; at + 12 <= png.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (at + 12 + length > png.length) throw new BadFrame("a PNG that is cut");
    out.push({ kind, data: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return out;
}

/** @param {Uint8Array[]} pieces @param {number} most */
async function inflate(pieces, most) {
  const stream = new Blob(/** @type {BlobPart[]} */ (pieces)).stream().pipeThrough(new DecompressionStream("deflate"));
  const out = new Uint8Array(most);
  let filled = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (filled + value.length > most) throw new BadFrame("a PNG that is too long");
    out.set(value, filled);
    filled += value.length;
  }
  if (filled !== most) throw new BadFrame("a PNG that is too short");
  return out;
}

/** @param {number} a @param {number} b @param {number} c */
function paeth(a, b, c) {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/**
 * Takes the filter off a row, in place.
 * @param {number} filter
 * @param {Uint8Array} row
 * @param {Uint8Array} above
 * @param {number} step bytes to a pixel
 */
function unfilter(filter, row, above, step) {
  if (filter > 4) throw new BadFrame("an unknown filter");
  for (let n = 0; n < row.length && filter; n++) {
    const a = n >= step ? row[n - step] ?? 0 : 0;
    const b = above[n] ?? 0;
    const add = filter === 1 ? a : filter === 2 ? b : filter === 3 ? (a + b) >> 1 : paeth(a, b, n >= step ? above[n - step] ?? 0 : 0);
    row[n] = (row[n] ?? 0) + add;
  }
}

/**
 * @param {Uint8Array} png
 * @returns {Promise<import("./http.js").Decoded>}
 */
export async function decodePng(png) {
  const parts = chunks(png);
  const head = parts[0];
  if (head?.kind !== "IHDR" || head.data.length !== 13) throw new BadFrame("a PNG without a head");
  const view = new DataView(head.data.buffer, head.data.byteOffset, 13);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth = 0, kind = 0, , , interlaced] = head.data.subarray(8);
  const isIndexed = kind === 3 && [1, 2, 4, 8].includes(depth);
  if (!isSize(width, height) || !(isIndexed || (kind === 2 && depth === 8)) || interlaced) throw new BadFrame("an unusual PNG");
  const rowBytes = isIndexed ? Math.ceil((width * depth) / 8) : width * 3;
  const raw = await inflate(parts.filter((p) => p.kind === "IDAT").map((p) => p.data), (rowBytes + 1) * height);
  const colours = new Uint32Array(256).fill(toMemory(0));
  const palette = parts.find((p) => p.kind === "PLTE")?.data ?? new Uint8Array();
  for (let n = 0; n * 3 + 2 < palette.length; n++) {
    colours[n] = toMemory(((palette[n * 3] ?? 0) << 16) | ((palette[n * 3 + 1] ?? 0) << 8) | (palette[n * 3 + 2] ?? 0));
  }
  const memory = new Uint32Array(width * height);
  let above = new Uint8Array(rowBytes);
  const mask = (1 << depth) - 1;
  for (let y = 0; y < height; y++) {
    const at = y * (rowBytes + 1);
    const row = raw.subarray(at + 1, at + 1 + rowBytes);
    unfilter(raw[at] ?? 0, row, above, isIndexed ? 1 : 3);
    above = row;
    for (let x = 0; x < width; x++) {
      if (isIndexed) {
        const bit = x * depth;
        memory[y * width + x] = colours[((row[bit >> 3] ?? 0) >> (8 - depth - (bit & 7))) & mask] ?? 0;
      } else {
        memory[y * width + x] = toMemory(((row[x * 3] ?? 0) << 16) | ((row[x * 3 + 1] ?? 0) << 8) | (row[x * 3 + 2] ?? 0));
      }
    }
  }
  return { width, height, memory };
}
