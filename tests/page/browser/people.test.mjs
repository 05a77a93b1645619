// What people do, with mouse, fingers and keyboard, and what the page tells them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { PHONE, sleep, trial } from "./trial.mjs";

const AXE = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const NEAR = "#50,50,20";
const toasts = (t) => t.page.$eval("#toasts", (e) => e.innerText);

trial("the keyboard alone paints a pixel and takes it back", {}, async (t) => {
  await t.state("live");
  await t.press("Tab", "ArrowRight", "d", "4", "Enter");
  assert.equal(t.messages.length, 0, "from afar it comes nearer first");
  await t.press("Enter");
  await t.until("painted", () => t.world.history.length === 1);
  const [{ x, y, rgb }] = t.world.history;
  assert.equal(rgb, 0xffa800);
  assert.equal(await t.pixel(x, y), "#ffa800");
  await t.until("settled", () => t.page.evaluate(() => place.settled === 0));
  await t.press("z");
  await t.until("undone", () => t.world.history.length === 2);
});

trial("a pixel is shown in the frame of the click", { hash: NEAR }, async (t) => {
  await t.state("live");
  await t.press("3");
  const seen = await t.page.evaluate(() => new Promise((done) => {
    const stage = document.getElementById("stage");
    const options = { clientX: 300, clientY: 200, pointerId: 1, pointerType: "mouse", button: 0, bubbles: true };
    stage.dispatchEvent(new PointerEvent("pointerdown", options));
    stage.dispatchEvent(new PointerEvent("pointerup", options));
    requestAnimationFrame(() => done([...stage.getContext("2d").getImageData(302, 202, 1, 1).data]));
  }));
  assert.deepEqual(seen, [255, 69, 0, 255]);
});

for (const [error, words] of Object.entries({
  LOCKED: /locked/, BANNED: /may not paint/, BAD_COLOR: /colour/, OUT_OF_BOUNDS: /outside/, COOLING_DOWN: /wait 5 s/, LATER: /refused/,
})) {
  for (const today of [false, true]) {
    trial(`${error} takes the pixel back and says why${today ? ", without names" : ""}`, { error, today, hash: NEAR }, async (t) => {
      await t.state("live");
      const before = await t.pixel(50, 50);
      await t.press("3", "Enter");
      await t.until("words", async () => words.test(await toasts(t)) || toasts(t));
      assert.equal(await t.pixel(50, 50), before);
      assert.equal(await t.page.$eval("#ring", (e) => !e.hasAttribute("hidden")), error === "COOLING_DOWN");
    });
  }
}

trial("UNAVAILABLE is tried again under the same name", { error: "UNAVAILABLE", hash: NEAR }, async (t) => {
  await t.state("live");
  await t.press("3", "Enter");
  await sleep(500);
  t.knobs.error = null;
  await t.until("painted", () => t.world.get(50, 50) === 0xff4500);
  assert.equal(new Set(t.messages.map((m) => m.name)).size, 1);
});

trial("what nobody confirms is sent once more, then taken back", { swallow: true, hash: NEAR }, async (t) => {
  await t.state("live");
  const before = await t.pixel(50, 50);
  await t.press("3", "Enter");
  await t.until("taken back", async () => (await t.pixel(50, 50)) === before, 40_000);
  assert.equal(t.messages.length, 2);
  assert.equal(t.messages[0].name, t.messages[1].name);
});

trial("painted while the socket dies: painted once", { hash: NEAR }, async (t) => {
  await t.state("live");
  await t.press("3");
  t.deeds.kill();
  await sleep(50);
  await t.press("Enter");
  await t.until("settled", () => t.page.evaluate(() => place.settled === 0));
  assert.equal(t.world.history.length, 1);
});

trial("fingers pinch, tap and hold", { viewport: { ...PHONE, width: 390, height: 800 } }, async (t) => {
  await t.state("live");
  const session = await t.page.createCDPSession();
  const touch = (type, points) => session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  await touch("touchStart", [[195, 300]]);
  await touch("touchStart", [[195, 300], [215, 300]]);
  for (let n = 1; n <= 20; n++) await touch("touchMove", [[195 - n * 6, 300], [215 + n * 6, 300]]);
  await touch("touchEnd", []);
  await sleep(700);
  const zoom = Number((await t.page.evaluate(() => location.hash)).split(",")[2]);
  assert.ok(zoom > 10, `zoom ${zoom}`);
  await t.page.tap(".swatch:nth-child(3)");
  await t.page.touchscreen.tap(150, 300);
  await t.until("painted", () => t.world.history.length === 1);
  await touch("touchStart", [[170, 350]]);
  await sleep(700);
  await touch("touchEnd", []);
  assert.equal(await t.page.$eval("#info", (e) => e.hidden), false);
  assert.equal(await t.page.evaluate(() => visualViewport.scale), 1);
  assert.equal(t.world.history.length, 1);
});

trial("who painted a pixel", { hash: NEAR }, async (t) => {
  await t.state("live");
  t.deeds.paint({ x: 50, y: 50, rgb: 0xff0000 });
  t.deeds.paint({ x: 50, y: 50, rgb: 0x00ff00 });
  await t.press("i");
  await t.until("two changes", () => t.page.$$eval("#info-list li", (all) => all.length === 2));
  await t.press("Escape");
  assert.equal(await t.page.evaluate(() => document.activeElement.id), "stage");
});

trial("a link leads to a place and brings a template", {}, async (t) => {
  await t.state("live");
  await t.page.evaluate((url) => (location.hash = `#10,20,30&template=${encodeURIComponent(url)}&at=5,5`), `${t.url}canvas.png`);
  await t.press("t");
  await t.until("progress", async () => /of 60,000 pixels/.test(await t.text("#template-state")));
  await t.press("Escape", "n");
  await t.until("a colour is chosen or none fits", async () => (await t.text("#place")) !== "");
});

for (const colours of ["light", "dark"]) {
  for (const viewport of [{ width: 1280, height: 800 }, PHONE]) {
    trial(`axe finds nothing: ${viewport.width}, ${colours}`, { viewport, hash: NEAR, notice: "Be nice.", bypass: true }, async (t) => {
      await t.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: colours }]);
      await t.state("live");
      await t.page.evaluate(AXE);
      for (const open of [null, "menu-open", "help-open", "template-open", "who"]) {
        if (open) await t.page.evaluate((id) => document.getElementById(id).click(), open);
        await sleep(400);
        const { violations } = await t.page.evaluate(() => axe.run());
        assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target)}`), [], open ?? "closed");
      }
      assert.equal(await t.page.evaluate(() => document.documentElement.scrollWidth), viewport.width);
    });
  }
}
