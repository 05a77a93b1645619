// Whatever happens to the connection, the page ends with the right picture, without a reload.
import assert from "node:assert/strict";
import { sleep, trial } from "./trial.mjs";

trial("the socket is killed while pixels change", { rate: 300 }, async (t) => {
  await t.state("live");
  for (let n = 0; n < 3; n++) {
    await sleep(700);
    t.deeds.kill();
  }
  await sleep(2_500);
  t.knobs.rate = 0;
  await t.equal();
});

trial("the same with a server that sends pictures only", { rate: 300, today: true }, async (t) => {
  await t.state("live");
  for (let n = 0; n < 3; n++) {
    await sleep(700);
    t.deeds.kill();
  }
  await sleep(2_500);
  t.knobs.rate = 0;
  await t.equal();
});

trial("a server without epochs", { rate: 100, today: true, epochs: false }, async (t) => {
  await t.state("live");
  t.deeds.kill();
  await sleep(2_000);
  t.knobs.rate = 0;
  await t.equal();
});

trial("updates are lost", { rate: 300, drop: 0.15 }, async (t) => {
  await t.state("live");
  await sleep(4_000);
  Object.assign(t.knobs, { drop: 0, rate: 0 });
  t.deeds.paint({ x: 0, y: 0, rgb: 1 });
  await t.equal();
});

trial("the last update is lost, and the tab comes back", {}, async (t) => {
  await t.state("live");
  t.knobs.drop = 1;
  t.deeds.paint({ x: 5, y: 5, rgb: 0x123456 });
  await sleep(500);
  t.knobs.drop = 0;
  await t.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await t.equal();
});

trial("no socket: slots; then a socket: painting", { rate: 50, refuse: true, hash: "#50,50,20" }, async (t) => {
  await t.state("watching");
  await t.until("the state in words", async () => /Watching; painting/.test(await t.text("#state")));
  await sleep(3_000);
  t.knobs.rate = 0;
  await t.equal();
  t.knobs.refuse = false;
  await t.state("live", 45_000);
  await t.press("2", "Enter");
  await t.equal();
  assert.equal(t.messages.length, 1);
});

trial("a full canvas that gets room", { rate: 50, full: true }, async (t) => {
  await t.state("watching");
  t.knobs.full = false;
  await t.state("live", 45_000);
  t.knobs.rate = 0;
  await t.equal();
});

for (const deed of ["epoch", "resize"]) {
  for (const refuse of [false, true]) {
    trial(`${deed} while ${refuse ? "watching" : "live"}`, { rate: 50, refuse }, async (t) => {
      await t.state(refuse ? "watching" : "live");
      t.deeds[deed]();
      await sleep(1_000);
      t.knobs.rate = 0;
      await t.equal();
    });
  }
}

trial("more changed than a picture has bytes", {}, async (t) => {
  await t.state("live");
  t.knobs.mute = true;
  for (let n = 0; n < 500; n++) t.deeds.paint({ x: n % 300, y: 7, rgb: n * 99 });
  await sleep(400);
  t.knobs.mute = false;
  t.deeds.reload();
  await t.equal();
});

trial("a picture in bands", { rate: 50, bands: 3, refuse: true }, async (t) => {
  await t.state("watching");
  t.knobs.rate = 0;
  await t.equal();
});

trial("a captive portal", {}, async (t) => {
  await t.state("live");
  Object.assign(t.knobs, { portal: true, refuse: true });
  t.deeds.kill();
  await sleep(3_000);
  t.deeds.paint({ x: 1, y: 1, rgb: 1 });
  Object.assign(t.knobs, { portal: false, refuse: false });
  await t.equal(45_000);
});

trial("a tab that was frozen", { rate: 50 }, async (t) => {
  await t.state("live");
  const session = await t.page.createCDPSession();
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  await sleep(2_000);
  t.deeds.kill();
  t.knobs.rate = 0;
  await session.send("Page.setWebLifecycleState", { state: "active" });
  await t.equal();
});

trial("under another path", { rate: 20, prefix: "/_aws/lambda-url/abc/" }, async (t) => {
  await t.state("live");
  t.knobs.rate = 0;
  await t.equal();
});

trial("hostile data", { title: "<img src=x onerror=alert(1)>", notice: "<script>document.title=1</script>" }, async (t) => {
  await t.state("live");
  const raw = [
    "{", "[]", "5", '{"type":"init","at":"1-0","width":65535,"height":65535,"part":1,"parts":1,"data":""}',
    '{"type":"error","code":"<b>x</b>","message":"<i>y</i>"}', '{"type":"pong","at":"99999999999999999999-0","epoch":"<b>"}',
    '{"type":"update","from":"1-0","at":"2-0","data":"AAAA"}', '{"type":"notice","text":"<img src=x onerror=alert(2)>"}',
    '{"type":"error","code":"COOLING_DOWN","retry_ms":1e300}', '{"message": "Forbidden"}',
  ];
  for (const text of raw) {
    t.deeds.raw({ text });
    await sleep(500);
  }
  assert.equal(await t.page.evaluate(() => document.querySelectorAll("img, script:not([src]), b, i").length), 0);
  await t.state("live");
  await t.equal();
});

trial("a new page is offered", { page: "0123456789abcdef", published: "fedcba9876543210" }, async (t) => {
  await t.until("the offer", () => t.page.$eval("#reload-banner", (e) => !e.hidden));
});

trial("a browser that falsifies what is read from a canvas", {}, async (t) => {
  await t.page.evaluateOnNewDocument(() => {
    const { getImageData } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.getImageData = function (...all) {
      const image = getImageData.apply(this, all);
      for (let at = 0; at < image.data.length; at += 97) image.data[at] ^= 1;
      return image;
    };
  });
  await t.page.reload();
  await t.equal();
});
