// Who painted a pixel, when, and what was there before.
import { box, write } from "./dom.js";
import { t, time } from "./i18n.js";
import { open } from "./panels.js";
import { millis } from "./position.js";

let asked = 0;

/** @param {import("./http.js").Painted} painted */
function line({ rgb, by, at }) {
  const item = document.createElement("li");
  const chip = document.createElement("span");
  chip.className = "chip";
  chip.style.backgroundColor = rgb;
  const who = document.createElement("span");
  who.className = "by";
  who.dir = "auto";
  who.textContent = by ?? t("unknownPainter");
  const when = document.createElement("span");
  when.className = "when";
  when.textContent = `${rgb}${at ? ` · ${time(millis(at))}` : ""}`;
  item.append(chip, who, when);
  return item;
}

/**
 * @param {import("./http.js").Http} http
 * @param {number} x
 * @param {number} y
 */
export async function show(http, x, y) {
  const mine = ++asked;
  write(box("info-title"), t("pixel", { x, y }));
  write(box("info-state"), t("loading"));
  box("info-list").replaceChildren();
  open("info");
  try {
    const changes = await http.pixel(x, y);
    if (mine !== asked) return;
    const painted = changes.filter((c) => c.at !== null || c.by !== null);
    write(box("info-state"), painted.length ? "" : t("nobody"));
    box("info-list").replaceChildren(...painted.map(line));
  } catch {
    if (mine === asked) write(box("info-state"), t("pixelFailed"));
  }
}
