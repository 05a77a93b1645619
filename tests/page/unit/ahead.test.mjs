import assert from "node:assert/strict";
import { test } from "node:test";
import { Ahead } from "../../../page/a/ahead.js";
import { dice } from "./helpers.mjs";

const pixel = (name, x = 1, y = 2, rgb = 0xff0000) => ({ name, x, y, rgb, before: 0xffffff });

/** A pixel that was sent at 0. */
function sent() {
  const ahead = new Ahead();
  ahead.add(pixel("one"), 0);
  assert.equal(ahead.tick(0, true).send.length, 1);
  return ahead;
}

test("a pixel is shown at once and settled by an update in its colour", () => {
  const ahead = sent();
  assert.equal(ahead.at(1, 2), 0xff0000);
  assert.equal(ahead.seen(5, 5, 0xff0000).length, 0);
  assert.equal(ahead.seen(1, 2, 0xff0000).length, 1);
  assert.equal(ahead.size, 0);
});

test("a colour of somebody else settles it after three seconds and no sooner", () => {
  const ahead = sent();
  ahead.seen(1, 2, 0x00ff00);
  assert.equal(ahead.tick(2_900, true).gone.length, 0);
  assert.equal(ahead.at(1, 2), 0xff0000);
  assert.equal(ahead.tick(3_000, true).gone.length, 1);
});

test("a pixel that nobody confirms is sent once more under its name, then taken back", () => {
  const ahead = sent();
  let [again, back, pings] = [0, 0, 0];
  for (let now = 0; now <= 40_000; now += 250) {
    const todo = ahead.tick(now, true);
    again += todo.send.length;
    if (todo.send[0]) assert.equal(todo.send[0].name, "one");
    back += todo.back.length;
    pings += Number(todo.ping);
  }
  assert.deepEqual([again, back, ahead.size], [1, 1, 0]);
  assert.ok(pings > 0);
});

test("nothing is sent while there is no connection, and everything is when there is one again", () => {
  const ahead = new Ahead();
  ahead.add(pixel("one"), 0);
  assert.equal(ahead.tick(5_000, false).send.length, 0);
  assert.equal(ahead.tick(6_000, true).send.length, 1);
  ahead.connected(7_000);
  assert.equal(ahead.tick(7_500, true).send.length, 0);
  assert.equal(ahead.tick(8_000, true).send.length, 1);
});

test("a picture settles what it shows and leaves what it does not", () => {
  const ahead = sent();
  assert.equal(ahead.picture(() => 0xffffff).length, 0);
  assert.equal(ahead.picture(() => 0xff0000).length, 1);
});

test("an error finds its pixel by name, and the oldest where it has none", () => {
  const ahead = sent();
  ahead.add(pixel("two", 3, 3), 10);
  assert.equal(ahead.find("two"), null, "it was not sent yet");
  ahead.tick(10, true);
  assert.equal(ahead.find("two")?.name, "two");
  assert.equal(ahead.find(null)?.name, "one");
  assert.equal(ahead.find("three"), null);
});

test("a pixel that is refused for now is sent again while there is time", () => {
  const ahead = sent();
  const [one] = ahead.pixels;
  assert.ok(ahead.retry(one, 500, 100));
  assert.equal(ahead.tick(599, true).send.length, 0);
  assert.equal(ahead.tick(600, true).send.length, 1);
  assert.ok(!ahead.retry(one, 500, 29_600));
});

test("whatever happens, no pixel is sent more often than twice without a refusal, and none stays", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = dice(seed);
    const ahead = new Ahead();
    const times = new Map();
    let live = true;
    for (let now = 0; now < 120_000; now += 250) {
      if (now < 60_000 && random() < 0.2) ahead.add(pixel(`${seed}-${now}`, Math.floor(random() * 3), 0, Math.floor(random() * 4)), now);
      if (random() < 0.3) ahead.seen(Math.floor(random() * 3), 0, Math.floor(random() * 4));
      if (random() < 0.02) live = !live;
      for (const p of ahead.tick(now, live).send) times.set(p.name, (times.get(p.name) ?? 0) + 1);
    }
    assert.equal(ahead.size, 0);
    assert.ok([...times.values()].every((n) => n <= 2));
  }
});
