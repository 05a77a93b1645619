import assert from "node:assert/strict";
import { test } from "node:test";
import { Canvas } from "../../../page/a/canvas.js";
import { BadFrame, read } from "../../../page/a/frames.js";
import { decodePng } from "../../../page/a/png.js";
import { dice, init, shuffle, update } from "./helpers.mjs";

const [A, B] = ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"];
const [WIDTH, HEIGHT] = [7, 5];

function feed(canvas, frame) {
  const read_ = read(frame);
  if (read_.type === "update") return canvas.update(read_);
  return new Promise((done, failed) => {
    canvas.init(read_, () => done("picture"), failed);
    setTimeout(done, read_.parts > 1 ? 15 : 400, "part");
  });
}

const white = () => Buffer.alloc(WIDTH * HEIGHT * 3, 255);
const picture = (epoch, at, rgb = white(), parts = 1) => init({ epoch, at, width: WIDTH, height: HEIGHT, rgb, parts });
const colours = (canvas) => Array.from({ length: WIDTH * HEIGHT }, (_, n) => canvas.shown(n % WIDTH, Math.floor(n / WIDTH)));

test("updates apply, are dropped, or wait for the one before them", async () => {
  const canvas = new Canvas(decodePng);
  feed(canvas, update("2-0", "3-0", [[0, 0, 3]]));
  await feed(canvas, picture(A, "2-0")[0]);
  assert.equal(canvas.follow.holds, "3-0");
  feed(canvas, update("1-0", "3-0", [[0, 0, 9]]));
  assert.equal(canvas.shown(0, 0), 3);
  feed(canvas, update("4-0", "5-0", [[0, 0, 5]]));
  assert.equal(canvas.follow.holds, "3-0");
  assert.ok(canvas.follow.hasGap);
  feed(canvas, update("2-5", "4-0", [[0, 0, 4]]));
  assert.equal(canvas.follow.holds, "5-0");
  assert.equal(canvas.shown(0, 0), 5);
  assert.ok(!canvas.follow.hasGap);
});

test("an old picture of the same epoch is dropped, one of another epoch replaces everything", async () => {
  const canvas = new Canvas(decodePng);
  await feed(canvas, picture(A, "5-0")[0]);
  feed(canvas, update("5-0", "6-0", [[1, 1, 0x123456]]));
  await feed(canvas, picture(A, "5-9")[0]);
  assert.equal(canvas.shown(1, 1), 0x123456);
  feed(canvas, update("9-0", "10-0", [[1, 1, 7]])); // Of the old canvas: before the new one's first part.
  await feed(canvas, picture(B, "2-0")[0]);
  assert.equal(canvas.follow.holds, "2-0");
  assert.equal(canvas.shown(1, 1), 0xffffff);
  assert.ok(!canvas.follow.hasGap);
});

test("updates between the parts of another epoch's picture belong to it", async () => {
  const canvas = new Canvas(decodePng);
  await feed(canvas, picture(A, "1-0")[0]);
  const [first, second] = picture(B, "2-0", white(), 2);
  await feed(canvas, first);
  feed(canvas, update("1-0", "3-0", [[2, 2, 0xabcdef]])); // It fits the old picture as well.
  await feed(canvas, second);
  await new Promise((done) => setTimeout(done, 100));
  assert.equal(canvas.follow.holds, "3-0");
  assert.equal(canvas.shown(2, 2), 0xabcdef);
});

test("a picture of another size than its frames say fails, and so does an update outside", async () => {
  const canvas = new Canvas(decodePng);
  await assert.rejects(feed(canvas, { ...picture(A, "1-0")[0], width: WIDTH + 1 }));
  canvas.reconnected();
  await feed(canvas, picture(A, "1-0")[0]);
  assert.throws(() => feed(canvas, update("1-0", "2-0", [[WIDTH, 0, 1]])), BadFrame);
});

test("a picture that was under way when the connection ended says nothing", async () => {
  const canvas = new Canvas(decodePng);
  const coming = feed(canvas, picture(A, "1-0")[0]);
  canvas.forget();
  await coming;
  assert.equal(canvas.follow.holds, null);
});

test("however frames overtake one another, what is shown is the canvas", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = dice(seed);
    const truth = white();
    const changes = [];
    const pictures = [];
    for (let n = 1; n <= 40; n++) {
      const [x, y, rgb] = [Math.floor(random() * WIDTH), Math.floor(random() * HEIGHT), Math.floor(random() * 0x1000000)];
      truth.writeUIntBE(rgb, (y * WIDTH + x) * 3, 3);
      changes.push([x, y, rgb]);
      if (n === 10 || n === 25) pictures.push(...picture(A, `${n}-0`, Buffer.from(truth), 3));
    }
    const frames = [];
    for (let from = 0; from < 40; ) {
      const to = Math.min(40, from + 1 + Math.floor(random() * 5));
      const start = Math.max(0, from - Math.floor(random() * 3)); // Updates overlap.
      frames.push(update(`${start}-0`, `${to}-0`, changes.slice(start, to)));
      if (random() < 0.2) frames.push(frames.at(-1));
      from = to;
    }
    const canvas = new Canvas(decodePng);
    const waits = shuffle([...frames, ...pictures], random).map((f) => feed(canvas, f));
    await Promise.all(waits);
    for (let n = 0; n < 100 && canvas.follow.holds !== "40-0"; n++) await new Promise((done) => setTimeout(done, 10));
    assert.equal(canvas.follow.holds, "40-0", `seed ${seed}`);
    const wanted = Array.from({ length: WIDTH * HEIGHT }, (_, n) => truth.readUIntBE(n * 3, 3));
    assert.deepEqual(colours(canvas), wanted, `seed ${seed}`);
  }
});

test("slots chain, and say where they don't", async () => {
  const canvas = new Canvas(decodePng);
  await feed(canvas, picture(A, "10-0")[0]);
  const slot = (epoch, from, at, ...frames) => canvas.slot({ epoch, from, at, frames: frames.map(read) });
  assert.ok(slot(A, "4-0", "12-0", update("4-0", "8-0", [[0, 0, 1]]), update("8-0", "12-0", [[0, 0, 2]])));
  assert.equal(canvas.shown(0, 0), 2);
  assert.ok(slot(A, "12-0", "12-0"), "an empty slot");
  assert.ok(!slot(A, "13-0", "14-0"), "a slot after changes that were missed");
  assert.ok(!slot(A, "12-0", "14-0"), "a slot whose frames are missing");
  assert.ok(!slot(B, "12-0", "12-0"), "a slot of another canvas");
});
