import assert from "node:assert/strict";
import { test } from "node:test";
import { Pulse } from "../../../page/a/pulse.js";

const E = "aaaaaaaaaaaaaaaa";
const held = (holds, epoch = E) => ({ epoch, holds });

function asked() {
  const pulse = new Pulse(240_000);
  pulse.begin(0);
  pulse.sent(0, "5-0");
  return pulse;
}

test("a ping is due after 240 seconds, or when it is asked for", () => {
  const pulse = new Pulse(240_000);
  pulse.begin(0);
  assert.equal(pulse.tick(239_999, held("5-0")), null);
  assert.equal(pulse.tick(240_000, held("5-0")), "ping");
  pulse.sent(240_000, "5-0");
  pulse.pong({ at: "5-0", epoch: E }, 240_100, held("5-0"));
  assert.equal(pulse.tick(300_000, held("5-0")), null);
  pulse.ask();
  assert.equal(pulse.tick(300_250, held("5-0")), "ping");
});

test("a pong that is behind what was held when it was asked for: changes were lost", () => {
  assert.equal(asked().pong({ at: "4-0", epoch: E }, 100, held("9-0")), "afresh");
  assert.equal(asked().pong({ at: "7-0", epoch: E }, 100, held("9-0")), null, "updates overtook the pong");
});

test("a pong that is ahead is believed for five seconds", () => {
  const pulse = asked();
  assert.equal(pulse.pong({ at: "9-0", epoch: E }, 100, held("5-0")), null);
  assert.equal(pulse.tick(5_000, held("5-0")), null);
  assert.equal(pulse.tick(5_100, held("5-0")), "resume");
  const other = asked();
  other.pong({ at: "9-0", epoch: E }, 100, held("5-0"));
  assert.equal(other.tick(5_100, held("9-0")), null, "the updates came");
});

test("a pong of another epoch: its picture is waited for five seconds", () => {
  const pulse = asked();
  const B = "bbbbbbbbbbbbbbbb";
  pulse.pong({ at: "1-0", epoch: B }, 100, held("5-0"));
  assert.equal(pulse.tick(5_100, held("5-0")), "afresh");
  const other = asked();
  other.pong({ at: "1-0", epoch: B }, 100, held("5-0"));
  assert.equal(other.tick(5_100, held("1-0", B)), null);
});

test("no pong in ten seconds: another ping; none after that either: another connection", () => {
  const pulse = asked();
  assert.equal(pulse.tick(9_999, held("5-0")), null);
  assert.equal(pulse.tick(10_000, held("5-0")), "ping");
  pulse.sent(10_000, "5-0");
  assert.equal(pulse.tick(19_999, held("5-0")), null);
  assert.equal(pulse.tick(20_000, held("5-0")), "resume");
});

test("after a sleep what was under way is forgotten and a ping is sent", () => {
  const pulse = asked();
  pulse.woke();
  assert.equal(pulse.tick(5_000_000, held("5-0")), "ping");
});
