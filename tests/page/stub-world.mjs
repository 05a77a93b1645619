// The canvas of the stub server: colours, history, positions, PNGs.
import { crc32, deflateSync } from "node:zlib";
import { randomBytes } from "node:crypto";

/** @param {string} kind @param {Uint8Array} data */
function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  const out = Buffer.alloc(8 + body.length);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE((crc32 ? crc32(body) : slowCrc(body)) >>> 0, 4 + body.length);
  return out;
}

/** For a Node of before `zlib.crc32`. @param {Uint8Array} data */
function slowCrc(data) {
  let sum = 0xffffffff;
  for (const byte of data) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/** A PNG of 8-bit red, green and blue. */
export function png(width, height, rgb) {
  const raw = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y++) rgb.copy(raw, y * (width * 3 + 1) + 1, y * width * 3, (y + 1) * width * 3);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", deflateSync(raw, { level: 3 })), chunk("IEND", Buffer.alloc(0))]);
}

export class World {
  constructor({ width, height, slotMs }) {
    this.slotMs = slotMs;
    this.reset(width, height);
  }

  /** A new canvas: another epoch, with something to look at. */
  reset(width = this.width, height = this.height) {
    Object.assign(this, { width, height, epoch: randomBytes(8).toString("hex"), ms: Date.now(), n: 0 });
    this.rgb = Buffer.alloc(width * height * 3, 255);
    /** Each change: position, ms, x, y, rgb, who. */
    this.history = [];
    this.names = new Set();
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [u, v] = [x / width, y / height];
        const ring = Math.floor(Math.hypot(u - 0.5, v - 0.5) * 24) % 8;
        const colour = [0xff4500, 0xffa800, 0xffd635, 0x00a368, 0x3690ea, 0x493ac1, 0x811e9f, 0xffffff][ring];
        this.rgb.writeUIntBE((x >> 3) % 7 && (y >> 3) % 7 ? colour : 0xffffff, (y * width + x) * 3, 3);
      }
    }
  }

  get at() {
    return `${this.ms}-${this.n}`;
  }

  get(x, y) {
    return this.rgb.readUIntBE((y * this.width + x) * 3, 3);
  }

  paint(x, y, rgb, by = null) {
    const now = Date.now();
    if (now > this.ms) [this.ms, this.n] = [now, 0];
    else this.n += 1;
    this.rgb.writeUIntBE(rgb, (y * this.width + x) * 3, 3);
    this.history.push({ at: this.at, ms: this.ms, x, y, rgb, by });
    if (this.history.length > 400_000) this.history.splice(0, 100_000);
  }

  png(top = 0, rows = this.height) {
    const row = this.width * 3;
    return png(this.width, rows, this.rgb.subarray(top * row, (top + rows) * row));
  }

  /** Update frames of the changes of history from one index to another. */
  frames(start, end, from) {
    const out = [];
    for (let at = start; at < end; at += 2000) {
      const some = this.history.slice(at, Math.min(end, at + 2000));
      const data = Buffer.alloc(some.length * 7);
      some.forEach(({ x, y, rgb }, n) => {
        data.writeUInt16BE(x, n * 7);
        data.writeUInt16BE(y, n * 7 + 2);
        data.writeUIntBE(rgb, n * 7 + 4, 3);
      });
      const to = some.at(-1).at;
      out.push({ type: "update", from, at: to, data: data.toString("base64") });
      from = to;
    }
    return out;
  }

  slot(n) {
    const [start, end] = [n * this.slotMs, (n + 1) * this.slotMs];
    const now = Date.now();
    if (now < end) return { in_ms: end - now, newest: Math.floor(now / this.slotMs) - 1 };
    if (now - end > 120_000) return { gone: true };
    const first = this.history.findIndex((h) => h.ms >= start);
    const low = first < 0 ? this.history.length : first;
    const last = this.history.findIndex((h) => h.ms >= end);
    const high = last < 0 ? this.history.length : last;
    const from = low > 0 ? this.history[low - 1].at : this.first ?? "0-0";
    const at = high > low ? this.history[high - 1].at : from;
    return { epoch: this.epoch, from, at, frames: this.frames(low, high, from) };
  }
}
