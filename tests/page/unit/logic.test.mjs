import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";
import { test } from "node:test";
import { USUAL, fromText, nearest, toText } from "../../../page/a/colours.js";
import { encodePng } from "../../../page/a/encode.js";
import { Heat } from "../../../page/a/heat.js";
import { readConfig, stack } from "../../../page/a/http.js";
import { choose, duration } from "../../../page/a/i18n.js";
import { format, parse } from "../../../page/a/link.js";
import { LANGUAGES } from "../../../page/a/lang/languages.js";
import { decodePng } from "../../../page/a/png.js";
import { fromMemory, toMemory } from "../../../page/a/picture.js";
import { player } from "../../../page/a/player.js";
import { Template } from "../../../page/a/template.js";
import { MOST_NEAR, View } from "../../../page/a/view.js";
import { png } from "../stub-world.mjs";
import { dice, oddPng, PAGE } from "./helpers.mjs";

test("links are read as they are written", () => {
  const random = dice(2);
  for (let n = 0; n < 500; n++) {
    const place = { x: Math.floor(random() * 65535), y: Math.floor(random() * 65535), zoom: Math.round(random() * 6400 + 1) / 100 };
    const overlay = random() < 0.5 ? null : { url: `https://example.org/${Math.floor(random() * 99)}.png?a=1&b=#ü`, x: Math.floor(random() * 100) - 50, y: 3, opacity: Math.floor(random() * 101) };
    assert.deepEqual(parse(format(place, overlay)), { place, overlay });
  }
  assert.deepEqual(parse("#5,6"), { place: { x: 5, y: 6, zoom: null }, overlay: null });
  for (const bad of ["", "#", "#a,b", "#1", "#1,2,3,4", "#99999999999,1", "#1e9,2", "#template=javascript:alert(1)", "#%"]) {
    const { place, overlay } = parse(bad);
    assert.deepEqual([place, overlay], [null, null], bad);
  }
});

test("every language has every text of the first, with the same places to fill in", async () => {
  const { texts } = await import("../../../page/a/lang/en.js");
  const holes = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort().join();
  const files = readdirSync(new URL("a/lang/", PAGE)).filter((f) => f !== "languages.js").map((f) => f.replace(".js", ""));
  assert.deepEqual([...LANGUAGES].sort(), files.sort());
  for (const code of LANGUAGES) {
    const other = await import(new URL(`a/lang/${code}.js`, PAGE).href);
    assert.deepEqual(Object.keys(other.texts).sort(), Object.keys(texts).sort(), code);
    for (const key of Object.keys(texts)) assert.equal(holes(other.texts[key]), holes(texts[key]), `${code}: ${key}`);
    assert.match(other.direction, /^(ltr|rtl)$/);
  }
});

test("every text is used, and every text that is used is there", async () => {
  const { texts } = await import("../../../page/a/lang/en.js");
  const names = readdirSync(new URL("a/", PAGE)).filter((f) => f.endsWith(".js"));
  const all = [...names.map((f) => `a/${f}`), "index.html"].map((f) => readFileSync(new URL(f, PAGE), "utf8")).join("\n");
  const codes = /^[A-Z_]+$/;
  for (const key of Object.keys(texts)) assert.ok(codes.test(key) || new RegExp(`"${key}"`).test(all), `${key} is not used`);
  for (const [, key] of all.matchAll(/data-(?:t|label)="(\w+)"/g)) assert.ok(key in texts, `${key} is missing`);
});

test("the reader's first language that there is is chosen", () => {
  assert.equal(choose(["fr-FR", "de-AT", "en"]), "de");
  assert.equal(choose(["xx", "../../evil"]), "en");
  assert.deepEqual([duration(900), duration(61_000), duration(3_723_000)], ["1 s", "1:01", "1:02:03"]);
});

test("a view keeps what is under the pointer there while it comes nearer", () => {
  const random = dice(3);
  const view = new View();
  Object.assign(view, { width: 1280, height: 800, canvas: { width: 4000, height: 3000 } });
  for (let n = 0; n < 300; n++) {
    view.moveTo(1500 + random() * 1000, 1200 + random() * 600, 1 + random() * 20);
    const [left, top] = [random() * 1280, random() * 800];
    const before = view.at(left, top);
    view.zoom(0.8 + random() * 0.4, left, top);
    const after = view.at(left, top);
    assert.ok(Math.abs(before.x - after.x) < 1e-6 && Math.abs(before.y - after.y) < 1e-6);
    const back = view.toWindow(after.x, after.y);
    assert.ok(Math.abs(back.left - left) < 1e-6 && Math.abs(back.top - top) < 1e-6);
  }
  view.moveTo(Number.NaN, Infinity, Number.NaN);
  assert.ok(view.x >= 0 && view.y >= 0 && view.scale > 0);
  view.zoom(1e9);
  assert.equal(view.scale, MOST_NEAR);
  view.zoom(1e-9);
  assert.ok(view.scale >= view.leastNear);
});

test("a template finds every wrong pixel, one colour at a time if wanted, and the next one", () => {
  const random = dice(4);
  const [width, height] = [20, 10];
  for (let round = 0; round < 50; round++) {
    const palette = [0xff0000, 0x00ff00, 0x0000ff];
    const rgba = Uint8Array.from({ length: 6 * 4 * 4 }, () => Math.floor(random() * 256));
    const template = new Template(6, 4, rgba, palette);
    [template.x, template.y] = [Math.floor(random() * 24) - 4, Math.floor(random() * 12) - 2];
    template.only = random() < 0.5 ? null : 0x00ff00;
    const shown = (x, y) => palette[(x * 7 + y * 3) % 3];
    const wanted = [];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const rgb = template.at(x, y);
        if (rgb !== null && rgb !== shown(x, y)) wanted.push({ x, y, rgb });
      }
    }
    assert.deepEqual([...template.wrong({ width, height }, shown)], wanted);
    const { wrong, next } = template.progress({ width, height }, shown, { x: 3, y: 3 });
    assert.equal(wrong, wanted.length);
    const far = (w) => (w.x - 3) ** 2 + (w.y - 3) ** 2;
    if (next) assert.ok(wanted.every((w) => far(w) === 0 || far(w) >= far(next)));
  }
});

test("colours", () => {
  assert.equal(new Set(USUAL).size, 32);
  assert.equal(toText(0x0000ff), "#0000ff");
  assert.equal(fromText("#00ff00"), 0x00ff00);
  assert.equal(fromText("red"), null);
  assert.equal(nearest(0xfe4605, USUAL), 0xff4500);
  assert.equal(nearest(0x123456, []), 0x123456);
  assert.equal(fromMemory(toMemory(0x123456)), 0x123456);
});

test("pictures are read exactly: every depth, every filter; and written so that they can be", async () => {
  const random = dice(5);
  for (const depth of [1, 2, 4, 8]) {
    const [width, height] = [13, 11];
    const palette = Array.from({ length: 2 ** depth }, () => Math.floor(random() * 0x1000000));
    const indices = Array.from({ length: width * height }, () => Math.floor(random() * 2 ** depth));
    const read = await decodePng(oddPng({ width, height, indices, palette, depth, filters: [0, 1, 2, 3, 4] }));
    assert.deepEqual([...read.memory], indices.map((n) => toMemory(palette[n])), `depth ${depth}`);
  }
  const rgb = Buffer.from(Array.from({ length: 9 * 4 * 3 }, () => Math.floor(random() * 256)));
  const read = await decodePng(png(9, 4, rgb));
  assert.deepEqual([...read.memory], Array.from({ length: 36 }, (_, n) => toMemory(rgb.readUIntBE(n * 3, 3))));
  const again = await decodePng(new Uint8Array(await (await encodePng(read)).arrayBuffer()));
  assert.deepEqual(again, read);
});

test("pictures that are cut or wrong are refused", async () => {
  const whole = png(9, 4, Buffer.alloc(9 * 4 * 3));
  for (let n = 0; n < whole.length - 12; n += 3) await assert.rejects(decodePng(whole.subarray(0, n)));
  const wide = Buffer.from(whole);
  wide.writeUInt32BE(0x7fffffff, 16);
  await assert.rejects(decodePng(wide));
});

test("a configuration is believed only where it makes sense", () => {
  const good = { socket: "wss://example.org/production", epoch: "6f1d0c9ae4b27385", width: 10, height: 20, palette: ["#ff0000", "red", 5, "#ff0000"] };
  const config = readConfig(good);
  assert.deepEqual([config.palette, config.cooldownMs, config.keepaliveMs, config.bands], [[0xff0000], 0, 240_000, 1]);
  const evil = readConfig({ ...good, socket: "javascript:1", imprint: "javascript:alert(1)", privacy: "https://example.org/", title: 5, notice: "x".repeat(9999), cooldown_ms: -1, keepalive_s: 1e9, bands: 1e9, online: "many" });
  assert.deepEqual([evil.socket, evil.imprint, evil.title, evil.cooldownMs, evil.bands, evil.online], [null, null, "", 0, 1, null]);
  assert.equal(evil.notice.length, 500);
  for (const bad of [null, 5, "<html>", [], {}, { width: 1e9, height: 1 }, { width: 65535, height: 65535 }]) assert.throws(() => readConfig(bad));
});

test("bands are stacked and go on from the lowest position", () => {
  const band = (at, slot, rows, fill) => ({ width: 2, height: rows, memory: new Uint32Array(2 * rows).fill(fill), epoch: "a", at, slot });
  const all = stack([band("5-0", 7, 2, 1), band("4-9", 6, 2, 2), band("6-0", 7, 1, 3)]);
  assert.deepEqual([all.width, all.height, all.at, all.slot, [...all.memory]], [2, 5, "4-9", 6, [1, 1, 1, 1, 2, 2, 2, 2, 3, 3]]);
  assert.throws(() => stack([band("5-0", 7, 2, 1), { ...band("5-0", 7, 2, 1), epoch: "b" }]));
});

test("the heat map cools down in five minutes", () => {
  const heat = new Heat();
  heat.resize(1000, 600);
  heat.add(999, 599, 0);
  const warm = (now) => heat.rgba(now).some((v, n) => n % 4 === 0 && v > 0);
  assert.ok(warm(0));
  assert.ok(warm(4 * 60_000));
  assert.ok(!warm(6 * 60_000));
});

test("a player keeps a token, or has one for a visit where nothing may be kept", () => {
  const kept = new Map();
  const storage = () => ({ getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v) });
  const token = player(storage);
  assert.match(token, /^[0-9a-f]{32}$/);
  assert.equal(player(storage), token);
  assert.match(player(() => { throw new Error("refused"); }), /^[0-9a-f]{32}$/);
});

test("index.html has nothing that its policy forbids, and preloads what main.js needs", () => {
  const html = readFileSync(new URL("index.html", PAGE), "utf8");
  assert.doesNotMatch(html, /\sstyle=|<style|\son\w+=|<script>|(src|href)="(\/|http)/);
  const preloaded = [...html.matchAll(/modulepreload" href="a\/dev\/([^"]+)"/g)].map((m) => m[1]).sort();
  const found = new Set();
  const visit = (name) => {
    const text = readFileSync(new URL(`a/${name}`, PAGE), "utf8");
    for (const [, path] of text.matchAll(/^import (?:.* from )?"\.\/([^"]+)"/gm)) {
      if (found.has(path)) continue;
      found.add(path);
      visit(path);
    }
  };
  visit("main.js");
  assert.deepEqual(preloaded, [...found].sort());
});

test("the page weighs at most 60 KB, and no file has more than 225 lines", () => {
  const names = readdirSync(PAGE, { recursive: true }).filter((f) => !f.endsWith(".md") && statSync(new URL(f, PAGE)).isFile());
  const bodies = names.map((f) => [f, readFileSync(new URL(f, PAGE))]);
  assert.ok(bodies.reduce((sum, [, body]) => sum + brotliCompressSync(body).length, 0) <= 60 * 1024);
  for (const [name, body] of bodies) assert.ok(body.toString().split("\n").length <= 226, name);
});
