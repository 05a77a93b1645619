// What the tests share: random numbers that can be repeated, frames, a canvas.
import { deflateSync } from "node:zlib";
import { png } from "../stub-world.mjs";

export const PAGE = new URL("../../../page/", import.meta.url);

/** Numbers from 0 to 1, the same for the same seed. */
export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function shuffle(list, random) {
  const out = [...list];
  for (let n = out.length - 1; n > 0; n--) {
    const other = Math.floor(random() * (n + 1));
    [out[n], out[other]] = [out[other], out[n]];
  }
  return out;
}

export function records(pixels) {
  const out = Buffer.alloc(pixels.length * 7);
  pixels.forEach(([x, y, rgb], n) => {
    out.writeUInt16BE(x, n * 7);
    out.writeUInt16BE(y, n * 7 + 2);
    out.writeUIntBE(rgb, n * 7 + 4, 3);
  });
  return out;
}

export function update(from, at, pixels = []) {
  return { type: "update", from, at, data: records(pixels).toString("base64") };
}

/** The frames of a picture. */
export function init({ epoch, at, width, height, rgb, parts = 1 }) {
  const file = png(width, height, rgb);
  const size = Math.ceil(file.length / parts);
  return Array.from({ length: parts }, (_, n) => ({
    type: "init", epoch, at, width, height, part: n + 1, parts,
    data: file.subarray(n * size, (n + 1) * size).toString("base64"),
  }));
}

/** A PNG whose rows have the filters and the depth that are asked for. */
export function oddPng({ width, height, indices, palette, depth, filters }) {
  const rowBytes = Math.ceil((width * depth) / 8);
  const rows = Array.from({ length: height }, (_, y) => {
    const row = Buffer.alloc(rowBytes);
    for (let x = 0; x < width; x++) row[(x * depth) >> 3] |= indices[y * width + x] << (8 - depth - ((x * depth) & 7));
    return row;
  });
  const paeth = (a, b, c) => {
    const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
  };
  const raw = rows.map((row, y) => {
    const above = rows[y - 1] ?? Buffer.alloc(rowBytes);
    const filter = filters[y % filters.length];
    const out = Buffer.from(row.map((v, n) => {
      const [a, b, c] = [n ? row[n - 1] : 0, above[n], n ? above[n - 1] : 0];
      return v - [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter];
    }));
    return Buffer.concat([Buffer.from([filter]), out]);
  });
  const chunk = (kind, data) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(data.length);
    head.write(kind, 4, "latin1");
    return Buffer.concat([head, data, Buffer.alloc(4)]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([depth, 3], 8);
  const colours = Buffer.alloc(palette.length * 3);
  palette.forEach((rgb, n) => colours.writeUIntBE(rgb, n * 3, 3));
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("PLTE", colours),
    chunk("IDAT", deflateSync(Buffer.concat(raw))), chunk("IEND", Buffer.alloc(0)),
  ]);
}
