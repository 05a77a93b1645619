// The picture as a PNG file: exact in every browser, and of any size.
import { fromMemory } from "./picture.js";

/** @type {Uint32Array | undefined} */
let table;

/** @param {Uint8Array} data */
function crc(data) {
  table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
    return n;
  });
  let sum = 0xffffffff;
  for (const byte of data) sum = (table[(sum ^ byte) & 255] ?? 0) ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

/** @param {string} kind @param {Uint8Array} data */
function chunk(kind, data) {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let n = 0; n < 4; n++) out[4 + n] = kind.charCodeAt(n);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc(out.subarray(4, 8 + data.length)));
  return out;
}

/**
 * @param {{width: number, height: number, memory: Uint32Array}} picture
 * @returns {Promise<Blob>}
 */
export async function encodePng({ width, height, memory }) {
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([8, 2], 8);
  let row = 0;
  const rows = new ReadableStream({
    pull(controller) {
      if (row === height) return controller.close();
      const line = new Uint8Array(1 + width * 3);
      for (let x = 0; x < width; x++) {
        const rgb = fromMemory(memory[row * width + x] ?? 0);
        line[1 + x * 3] = rgb >> 16;
        line[2 + x * 3] = (rgb >> 8) & 255;
        line[3 + x * 3] = rgb & 255;
      }
      row += 1;
      controller.enqueue(line);
    },
  });
  const packed = new Uint8Array(await new Response(rows.pipeThrough(new CompressionStream("deflate"))).arrayBuffer());
  const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  const parts = [signature, chunk("IHDR", head), chunk("IDAT", packed), chunk("IEND", new Uint8Array())];
  return new Blob(parts, { type: "image/png" });
}
