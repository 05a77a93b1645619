import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../../page/a/backoff.js";
import { BadFrame, decode, paintMessage, PING } from "../../../page/a/frames.js";
import { compare, isNewer, isPosition, millis } from "../../../page/a/position.js";
import { dice, update } from "./helpers.mjs";

test("positions are compared as numbers of 64 bits", () => {
  const random = dice(1);
  const number = () => BigInt(Math.floor(random() * 2 ** 32)) * BigInt(Math.floor(random() * 2 ** (random() * 32))) % 2n ** 64n;
  for (let n = 0; n < 5000; n++) {
    const [a, b, c, d] = [number(), number(), number(), number()];
    const [p, q] = [`${a}-${c}`, `${random() < 0.3 ? a : b}-${d}`];
    const [ms, other] = [p, q].map((t) => t.split("-").map(BigInt));
    const wanted = ms[0] !== other[0] ? (ms[0] < other[0] ? -1 : 1) : ms[1] < other[1] ? -1 : Number(ms[1] > other[1]);
    assert.equal(Math.sign(compare(p, q)), wanted, `${p} ${q}`);
  }
  assert.ok(isNewer("1700000000000-10", "1700000000000-9"));
  assert.equal(millis("1700000000000-10"), 1_700_000_000_000);
});

test("what is no position is refused", () => {
  for (const bad of ["", "1", "1-", "-1", "01-0", "1-00", "1-2-3", "a-b", "1-1 ", "123456789012345678901-0", 5, null, undefined, {}]) {
    assert.equal(isPosition(bad), false, String(bad));
  }
  assert.ok(isPosition("0-0"));
  assert.ok(isPosition("18446744073709551615-18446744073709551615"));
});

test("frames without a type that is known are ignored", () => {
  for (const text of ["", "{", "5", "null", "[]", "{}", '{"message": "Forbidden"}', '{"type":"later"}', '{"type":"toString"}', '{"type":5}', new ArrayBuffer(4)]) {
    assert.equal(decode(text), null);
  }
});

test("frames of a known type that can't be read are a reason to reconnect", () => {
  const part = { type: "init", at: "1-0", width: 1, height: 1, part: 1, parts: 1, data: "" };
  const bad = [
    { ...part, at: "x" }, { ...part, width: 0 }, { ...part, width: 65535, height: 65535 }, { ...part, width: 1e300 },
    { ...part, part: 2 }, { ...part, parts: 1e9 }, { ...part, data: "%" }, { ...part, data: 5 }, { ...part, epoch: "<b>" },
    { ...update("1-0", "2-0"), data: "AAAA" }, update("2-0", "1-0"), update("1-0", "1-0"), { type: "pong" }, { type: "resumed" },
  ];
  for (const frame of bad) assert.throws(() => decode(JSON.stringify(frame)), BadFrame, JSON.stringify(frame));
});

test("frames that are cut at any place never do more than be refused", () => {
  const whole = JSON.stringify(update("1-0", "2-0", [[1, 2, 0xff0000]]));
  for (let n = 0; n < whole.length; n++) assert.equal(decode(whole.slice(0, n)), null);
});

test("an error gives its name, its place and its pause", () => {
  const error = decode('{"type":"error","code":"COOLING_DOWN","message":"wait 70 ms","name":"n","x":1,"y":2}');
  assert.deepEqual(error, { type: "error", code: "COOLING_DOWN", message: "wait 70 ms", name: "n", x: 1, y: 2, retryMs: 70 });
  assert.equal(decode('{"type":"error","code":"COOLING_DOWN","retry_ms":1e99}').retryMs, 86_400_000);
  assert.equal(decode('{"type":"error","code":"LOCKED"}').retryMs, null);
});

test("messages are written as the protocol has them", () => {
  assert.deepEqual(JSON.parse(paintMessage({ x: 1, y: 2, rgb: 0xff0180, name: "n" })), {
    action: "sendMessage", data: [{ x: 1, y: 2, r: 255, g: 1, b: 128 }], name: "n",
  });
  assert.equal(PING, '{"action":"sendMessage","ping":true}');
});

test("pauses grow, are random and end", () => {
  const backoff = new Backoff(1000, 30_000, () => 1);
  assert.deepEqual(Array.from({ length: 7 }, () => backoff.next()), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  backoff.reset();
  assert.equal(backoff.next(), 1000);
});
