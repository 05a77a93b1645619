// What the page says about itself: the connection, people online, notices, the cool-down.
import { box, button, element, write } from "./dom.js";
import { duration, t } from "./i18n.js";
import { TooLarge } from "./http.js";
import { keep, recall } from "./settings.js";

/**
 * @typedef {import("./session.js").Session} Session
 * @typedef {{cross: {x: number, y: number} | null, colour: number | null, isNear: boolean}} Aim
 */

/** The hash that this page was published under. */
const PAGE = new URL(".", import.meta.url).pathname.split("/").at(-2) ?? "";

/** @param {Session} session */
function stateText({ state, config, configuration }) {
  if (configuration.problem instanceof TooLarge) return t("tooLarge");
  if (state === "watching") return t(config?.full ? "watching" : "watchingDown");
  if (state === "live" || state === "connecting") return t(state);
  return t(config && config.epoch === null ? "closed" : "offline");
}

/** @param {Session} session */
export function show(session) {
  const { state, config, online } = session;
  const lamp = box("lamp");
  const look = `lamp${state === "live" ? " is-live" : state === "offline" ? " is-offline" : " is-busy"}`;
  if (lamp.className !== look) lamp.className = look;
  write(box("state"), stateText(session));
  write(box("online"), online === null || state === "offline" ? "" : t("online", { n: online }));
  if (config?.title) {
    write(box("title"), config.title);
    if (document.title !== config.title) document.title = config.title;
  }
  const notice = session.notice;
  write(box("notice"), notice);
  box("notice-banner").hidden = !notice || recall("notice") === notice;
  if (config?.page && PAGE !== "dev" && config.page !== PAGE) box("reload-banner").hidden = false;
  for (const id of /** @type {const} */ (["imprint", "privacy"])) {
    const link = element(id, HTMLAnchorElement);
    const href = config?.[id] ?? null;
    link.hidden = !href;
    if (href && link.href !== href) link.href = href;
  }
}

/** The button that paints, and the ring of the cool-down. @param {Session} session @param {Aim} aim */
export function showAim({ painter, canvas, state }, { cross, colour, isNear }) {
  const wait = painter.waitMs;
  const isLong = wait > 900;
  const paint = button("paint");
  const text = isLong ? duration(wait)
    : colour === null ? t("chooseColour")
    : cross && !isNear ? t("comeNearer") : t("paint");
  write(box("paint-text"), text);
  const disabled = isLong || !cross || !canvas.isReady || (colour !== null && isNear && state !== "live");
  paint.disabled = disabled || colour === null;
  const ring = element("ring", SVGElement);
  ring.toggleAttribute("hidden", !isLong);
  element("paint-icon", SVGElement).toggleAttribute("hidden", isLong);
  const share = painter.coolUntil > painter.coolFrom ? wait / (painter.coolUntil - painter.coolFrom) : 0;
  element("ring-rest", SVGElement).style.strokeDashoffset = String(100 - 100 * Math.min(1, share));
  button("undo").disabled = !painter.last || state !== "live";
  write(box("place"), cross ? `${cross.x}, ${cross.y}` : "");
}

/** Wires the banners. */
export function wire() {
  button("reload").addEventListener("click", () => location.reload());
  button("notice-close").addEventListener("click", () => {
    keep("notice", box("notice").textContent ?? "");
    box("notice-banner").hidden = true;
  });
}
