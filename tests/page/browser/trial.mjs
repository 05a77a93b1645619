// A real browser against the stub. CHROME names the browser (else `chromium`).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, test } from "node:test";
import puppeteer from "puppeteer-core";
import { start } from "../stub.mjs";

const executablePath = process.env.CHROME ?? execFileSync("which", ["chromium"]).toString().trim();
const browser = await puppeteer.launch({ executablePath, headless: true, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
after(() => browser.close());

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
export const PHONE = { width: 320, height: 640, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

/** What the console may say: the stub refuses and kills on purpose. */
const WANTED = /WebSocket connection|status of (503|404)|net::ERR/;

/**
 * One page against one stub with these knobs.
 * @param {string} name
 * @param {Record<string, unknown>} knobs
 * @param {(t: any) => Promise<unknown>} body
 */
export function trial(name, { viewport = { width: 1000, height: 700 }, hash = "", bypass = false, ...knobs }, body) {
  test(name, { timeout: 120_000 }, async () => {
    const stub = await start(knobs);
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (m) => ["error", "warn"].includes(m.type()) && !WANTED.test(m.text()) && complaints.push(m.text()));
    page.on("pageerror", (error) => complaints.push(String(error.stack)));
    await page.setViewport(viewport);
    await page.setBypassCSP(bypass);
    const t = { ...stub, page, context, ...means(page, stub) };
    try {
      await page.goto(stub.url + hash);
      await body(t);
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
      stub.stop();
    }
  });
}

function means(page, { world }) {
  async function until(what, ask, within = 20_000) {
    const end = Date.now() + within;
    for (let last; ; await sleep(100)) {
      last = await ask();
      if (last === true) return;
      if (Date.now() > end) assert.fail(`${what}: ${JSON.stringify(last)}`);
    }
  }
  return {
    until,
    /** Waits until the page is in a state. */
    state: (wanted, within) => until(`state ${wanted}`, async () => {
      const state = await page.evaluate(() => globalThis.place?.state);
      return state === wanted || state;
    }, within),
    /** Waits until the page shows every pixel of the canvas. */
    equal: (within) => until("equal pictures", async () => {
      const shown = await page.evaluate(() => {
        const pixels = globalThis.place?.pixels() ?? [];
        let letters = "";
        for (let at = 0; at < pixels.length; at += 8192) letters += String.fromCharCode(...pixels.subarray(at, at + 8192));
        return { data: btoa(letters), holds: place.holds, state: place.state };
      });
      return shown.data === world.rgb.toString("base64") || { ...shown, data: undefined, wanted: world.at };
    }, within),
    text: (selector) => page.$eval(selector, (e) => e.textContent),
    press: async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    },
    pixel: (x, y) => page.evaluate((x, y) => place.pixel(x, y), x, y),
  };
}
