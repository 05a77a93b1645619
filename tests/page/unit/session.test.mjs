import assert from "node:assert/strict";
import { test } from "node:test";
import { Canvas } from "../../../page/a/canvas.js";
import { readConfig } from "../../../page/a/http.js";
import { decodePng } from "../../../page/a/png.js";
import { Session } from "../../../page/a/session.js";
import { init, update } from "./helpers.mjs";

const EPOCH = "aaaaaaaaaaaaaaaa";
const PLAYER = "0".repeat(32);
const rgb = Buffer.alloc(4 * 4 * 3, 255);
const MEMORY = () => new Uint32Array(16).fill(0xffffffff);

/** A session with a clock, sockets and HTTP of the test's own. */
async function world({ config = {}, at = "5-0", http = {} } = {}) {
  const sockets = [];
  const requests = [];
  const w = { now: 1_000_000, sockets, requests };
  const answers = {
    config: async () => readConfig({ socket: "ws://example.org/production", epoch: EPOCH, width: 4, height: 4, ...config }),
    picture: async () => ({ width: 4, height: 4, memory: MEMORY(), epoch: EPOCH, at, slot: 3 }),
    slot: async () => ({ in_ms: 1000 }),
    ...http,
  };
  const noted = Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, (...all) => {
    requests.push([name, ...all].join(" "));
    return answer(...all);
  }]));
  const canvas = new Canvas(decodePng);
  w.session = new Session({
    http: noted, canvas, player: PLAYER, now: () => w.now, random: () => 0.5,
    makeSocket(url) {
      const socket = { url, readyState: 0, sent: [], close() { this.readyState = 3; }, send(text) { this.sent.push(JSON.parse(text)); } };
      sockets.push(socket);
      return socket;
    },
  });
  w.canvas = canvas;
  w.run = async (ms) => {
    for (const end = w.now + ms; w.now < end; w.now += 250) {
      w.session.tick();
      await new Promise((done) => setImmediate(done));
    }
  };
  w.open = () => {
    const socket = sockets.at(-1);
    socket.readyState = 1;
    socket.onopen();
    return socket;
  };
  w.say = (frame) => sockets.at(-1).onmessage({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  /** Connected, with nothing missed. */
  w.live = async () => {
    await w.run(500);
    const socket = w.open();
    w.say({ type: "resume", from: at });
    w.say({ type: "resumed", at });
    return socket;
  };
  await w.run(500);
  return w;
}

test("a connection gives the player and what is held", async () => {
  const w = await world();
  await w.run(500);
  assert.equal(w.sockets[0].url, `ws://example.org/production?player=${PLAYER}&from=${EPOCH}:5-0`);
  await w.live();
  assert.equal(w.session.state, "live");
});

test("what was missed while away is no gap for five seconds, and one after that", async () => {
  const w = await world();
  await w.run(500);
  w.open();
  w.say({ type: "resume", from: "5-0" });
  w.say(update("7-0", "8-0"));
  await w.run(4_500);
  assert.equal(w.sockets.length, 1);
  await w.run(4_500);
  assert.equal(w.sockets.length, 2);
  assert.match(w.sockets[1].url, /from=a+:5-0$/);
});

test("a gap that closes by itself is none", async () => {
  const w = await world();
  await w.live();
  w.say(update("7-0", "8-0"));
  await w.run(1_500);
  w.say(update("5-0", "7-0"));
  await w.run(4_000);
  assert.equal(w.sockets.length, 1);
  assert.equal(w.canvas.follow.holds, "8-0");
});

test("a frame that can't be read: another connection, which starts with nothing", async () => {
  const w = await world();
  await w.live();
  await w.run(500);
  w.say('{"type":"update"}');
  await w.run(2_000);
  assert.equal(w.sockets.length, 2);
  assert.doesNotMatch(w.sockets[1].url, /from=/);
});

test("a server that only knows pictures brings one, and its older ones are believed to be known", async () => {
  const w = await world();
  await w.run(500);
  w.open();
  w.say(init({ epoch: EPOCH, at: "4-0", width: 4, height: 4, rgb })[0]);
  await w.run(500);
  assert.equal(w.session.state, "live");
  assert.equal(w.canvas.follow.holds, "5-0");
});

test("a connection asks every 240 seconds, and ends itself before two hours", async () => {
  const w = await world();
  const socket = await w.live();
  const pings = () => socket.sent.filter((m) => m.ping).length;
  const send = socket.send;
  socket.send = function (text) {
    send.call(this, text);
    if (JSON.parse(text).ping) w.say({ type: "pong", at: w.canvas.follow.holds, epoch: EPOCH, online: 3 });
  };
  await w.run(600_000);
  assert.equal(pings(), 2);
  assert.equal(w.session.online, 3);
  await w.run(80 * 60_000);
  assert.equal(w.sockets.length, 1);
  await w.run(25 * 60_000);
  assert.ok(w.sockets.length > 1);
});

test("a connection that answers nothing is renewed", async () => {
  const w = await world();
  await w.live();
  await w.run(500);
  w.session.woke();
  await w.run(23_000);
  assert.equal(w.sockets.length, 2);
});

test("without a socket slots are watched; when it comes they are left", async () => {
  const w = await world();
  await w.run(500);
  w.sockets[0].onclose();
  await w.run(3_000);
  assert.equal(w.session.state, "watching");
  assert.ok(w.requests.includes("slot 3"));
  await w.run(40_000);
  await w.live();
  const before = w.requests.filter((r) => r.startsWith("slot")).length;
  await w.run(5_000);
  assert.equal(w.session.state, "live");
  assert.equal(w.requests.filter((r) => r.startsWith("slot")).length, before);
});

test("a connection that comes back in a second fetches nothing", async () => {
  const w = await world();
  const socket = await w.live();
  await w.run(10_000);
  const before = w.requests.filter((r) => !r.startsWith("config")).length;
  socket.readyState = 3;
  socket.onclose();
  await w.run(1_000);
  await w.live();
  await w.run(3_000);
  assert.equal(w.requests.filter((r) => !r.startsWith("config")).length, before);
});

test("a full canvas is watched, and no socket is tried until there is room", async () => {
  let full = true;
  const w = await world({ http: { config: async () => readConfig({ socket: "ws://example.org/", epoch: EPOCH, width: 4, height: 4, full }) } });
  await w.run(30_000);
  assert.equal(w.session.state, "watching");
  assert.equal(w.sockets.length, 0);
  full = false;
  await w.run(21_000);
  assert.equal(w.sockets.length, 1);
});

test("nobody looks: no slots are fetched", async () => {
  const w = await world({ config: { full: true } });
  w.session.isHidden = true;
  w.requests.length = 0;
  await w.run(8_000);
  assert.ok(!w.requests.some((r) => r.startsWith("slot")));
});

test("a slot that can't be read leads to another picture", async () => {
  const w = await world({ config: { full: true }, http: { slot: async () => ({ from: "5-0", at: "6-0", frames: [{ type: "update" }] }) } });
  await w.run(20_000);
  assert.ok(w.requests.filter((r) => r.startsWith("picture")).length > 2);
});

test("when the server is down the pauses grow", async () => {
  const fails = async () => { throw new Error("503"); };
  const w = await world({ http: { config: fails, picture: fails, slot: fails } });
  await w.run(120_000);
  assert.equal(w.session.state, "offline");
  assert.ok(w.requests.filter((r) => r === "config").length < 15, String(w.requests.length));
});

test("reload: the picture is fetched once, after a pause", async () => {
  const w = await world();
  await w.live();
  const before = w.requests.filter((r) => r.startsWith("picture")).length;
  w.say({ type: "reload", at: "9-0" });
  assert.equal(w.requests.filter((r) => r.startsWith("picture")).length, before);
  await w.run(4_000);
  assert.equal(w.requests.filter((r) => r.startsWith("picture")).length, before + 1);
});

test("a pixel is sent at once, and again by the next connection only under its name", async () => {
  const w = await world();
  const socket = await w.live();
  assert.equal(w.session.painter.paint(1, 1, 0xff0000), null);
  w.session.tick();
  const [paint] = socket.sent.filter((m) => m.data);
  assert.deepEqual(paint.data, [{ x: 1, y: 1, r: 255, g: 0, b: 0 }]);
  assert.equal(w.canvas.shown(1, 1), 0xff0000);
  socket.readyState = 3;
  socket.onclose();
  await w.run(1_500);
  const other = await w.live();
  await w.run(2_000);
  const again = other.sent.filter((m) => m.data);
  assert.equal(again.length, 1);
  assert.equal(again[0].name, paint.name);
  w.say(update("5-0", "6-0", [[1, 1, 0xff0000]]));
  assert.equal(w.canvas.ahead.size, 0);
});

test("undo paints what was there, and only where nobody painted since", async () => {
  const w = await world();
  await w.live();
  const { painter } = w.session;
  painter.paint(1, 1, 0xff0000);
  painter.paint(2, 2, 0x00ff00);
  w.session.tick();
  w.say(update("5-0", "6-0", [[1, 1, 0xff0000], [2, 2, 0x00ff00]]));
  w.say(update("6-0", "7-0", [[2, 2, 0x0000ff]]));
  assert.equal(painter.undo(), null);
  assert.equal(w.canvas.shown(1, 1), 0xffffff);
  assert.equal(w.canvas.shown(2, 2), 0x0000ff);
  assert.equal(painter.undo(), "NOTHING_TO_UNDO");
});
