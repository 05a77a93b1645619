// Frames a second while one pans and others paint, beside those of an empty page.
//   node browser/speed.mjs [width] [height] [pixels a second]
import { trial } from "./trial.mjs";

const [width, height, rate] = process.argv.slice(2).map(Number);
const SECONDS = 4;

function frames(page, pans) {
  return page.evaluate((pans, seconds) => new Promise((done) => {
    const stage = document.getElementById("stage");
    const send = (kind, x, y) => stage?.dispatchEvent(new PointerEvent(kind, { clientX: x, clientY: y, pointerId: 1, pointerType: "mouse", button: 0, buttons: 1, bubbles: true }));
    if (pans) send("pointerdown", 600, 300);
    const began = performance.now();
    let count = 0;
    const next = () => {
      count += 1;
      if (pans) send("pointermove", 600 + 200 * Math.sin(count / 20), 300 + 150 * Math.cos(count / 17));
      const passed = performance.now() - began;
      if (passed < seconds * 1000) return requestAnimationFrame(next);
      if (pans) send("pointerup", 0, 0);
      done(Math.round((count / passed) * 10_000) / 10);
    };
    requestAnimationFrame(next);
  }), pans, SECONDS);
}

trial("speed", { viewport: { width: 1280, height: 800 }, width: width || 2000, height: height || 2000, rate: rate || 1639 }, async (t) => {
  const empty = await t.context.newPage();
  console.log("empty page:", await frames(empty, false));
  await empty.close();
  await t.state("live", 60_000);
  for (const scale of [0.25, 1, 4, 20]) {
    await t.page.evaluate((s) => (location.hash = `#${place.width >> 1},${place.height >> 1},${s}`), scale);
    console.log(`panning at ${scale}:`, await frames(t.page, true));
  }
});
