// What a person does: aims, paints, looks, travels. Between the input and the rest.
import { toText } from "./colours.js";
import { duration, isKey, t } from "./i18n.js";
import * as info from "./info.js";
import { format, parse } from "./link.js";
import { say, speak } from "./toasts.js";
import { PAINT_SCALE } from "./view.js";

const COME_SCALE = 16;

/**
 * @typedef {{session: import("./session.js").Session, http: import("./http.js").Http,
 *   view: import("./view.js").View, marks: import("./marks.js").Marks,
 *   palette: import("./palette.js").Palette, overlay: import("./overlay.js").Overlay,
 *   ask: () => void}} Parts
 * @typedef {import("./pointers.js").Point} Point
 */

export class Desk {
  #speakTimer = 0;
  #linkTimer = 0;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  get canvas() {
    return this.parts.session.canvas;
  }

  get cross() {
    return this.parts.marks.cross;
  }

  get isNear() {
    return this.parts.view.scale >= PAINT_SCALE;
  }

  /** The place that is aimed at, or the middle of the window. */
  get aimed() {
    const { view } = this.parts;
    return this.cross ?? { x: Math.floor(view.x), y: Math.floor(view.y) };
  }

  /** @param {Point} point */
  placeAt({ left, top }) {
    const { x, y } = this.parts.view.at(left, top);
    return { x: Math.floor(x), y: Math.floor(y) };
  }

  /** Aims at a place, if the canvas has it. @param {{x: number, y: number} | null} place */
  aim(place) {
    const { marks } = this.parts;
    marks.cross = place && this.canvas.picture.holds(place.x, place.y) ? place : null;
    this.parts.ask();
  }

  /** The view or what is shown changed. */
  changed() {
    this.parts.ask();
    clearTimeout(this.#linkTimer);
    this.#linkTimer = window.setTimeout(() => history.replaceState(null, "", this.link()), 500);
  }

  /** The address of what is shown. */
  link() {
    if (!this.canvas.isReady) return location.hash || "#";
    const { view, overlay } = this.parts;
    const { template, url } = overlay;
    const place = { x: Math.floor(view.x), y: Math.floor(view.y), zoom: view.scale };
    return format(place, template && url ? { url, x: template.x, y: template.y, opacity: template.opacity } : null);
  }

  /** Goes where the address says. Answers the template that it shares. */
  follow() {
    const { place, overlay } = parse(location.hash);
    const { view } = this.parts;
    if (place && this.canvas.isReady) {
      const { width, height } = view.canvas;
      const [x, y] = [Math.min(width - 1, Math.max(0, place.x)), Math.min(height - 1, Math.max(0, place.y))];
      view.moveTo(x + 0.5, y + 0.5, place.zoom ?? COME_SCALE);
      this.aim({ x, y });
    }
    return overlay;
  }

  /** @param {Point} point */
  tap(point) {
    const place = this.placeAt(point);
    this.aim(place);
    const { palette, view } = this.parts;
    if (!this.cross || palette.chosen === null) return;
    if (this.isNear) this.paint();
    else {
      view.zoom(COME_SCALE / view.scale, point.left, point.top);
      this.changed();
    }
  }

  /** Paints the place that is aimed at; comes nearer where one could not see it. */
  paint() {
    const { palette, session, view } = this.parts;
    if (!this.cross) this.aim(this.aimed);
    const { cross } = this;
    if (!cross) return;
    const { x, y } = cross;
    if (!this.isNear) {
      view.moveTo(x + 0.5, y + 0.5, COME_SCALE);
      this.changed();
      return;
    }
    if (palette.chosen === null) return say(t("chooseColour"));
    if (session.state === "watching" || session.state === "offline") return this.refuse("NOT_LIVE");
    const why = session.painter.paint(x, y, palette.chosen);
    if (why) this.refuse(why);
    else speak(t("painted", { x, y }));
    session.tick();
    this.changed();
  }

  undo() {
    const { session } = this.parts;
    const why = session.state === "live" ? session.painter.undo() : "NOT_LIVE";
    if (why) this.refuse(why);
    session.tick();
    this.changed();
  }

  /**
   * Says in words what was refused, and shows where.
   * @param {string} code
   * @param {{x?: number | null, y?: number | null, waitMs?: number, message?: string}} more
   */
  refuse(code, { x = null, y = null, waitMs = this.parts.session.painter.waitMs, message = "" } = {}) {
    const time = duration(waitMs || 1000);
    say(isKey(code) ? t(code, { time }) : `${t("OTHER")} ${message}`.trim());
    if (x !== null && y !== null) this.parts.marks.refuse(x, y);
    this.parts.ask();
  }

  /** @param {number} dx @param {number} dy */
  move(dx, dy) {
    const { view } = this.parts;
    const { x, y } = this.aimed;
    const within = (/** @type {number} */ v, /** @type {number} */ size) => Math.min(size - 1, Math.max(0, v));
    const to = this.cross ? { x: within(x + dx, view.canvas.width), y: within(y + dy, view.canvas.height) } : { x, y };
    view.show(to.x, to.y);
    this.aim(to);
    this.changed();
    clearTimeout(this.#speakTimer);
    this.#speakTimer = window.setTimeout(() => speak(t("at", { x: to.x, y: to.y, hex: toText(this.canvas.shown(to.x, to.y)) })), 200);
  }

  /** Zooms to the place that is aimed at, if it can be seen. @param {number} factor */
  zoom(factor) {
    const { view } = this.parts;
    const at = this.cross && view.toWindow(this.cross.x + 0.5, this.cross.y + 0.5);
    const isSeen = at && at.left > 0 && at.top > 0 && at.left < view.width && at.top < view.height;
    if (isSeen) view.zoom(factor, at.left, at.top);
    else view.zoom(factor);
    this.changed();
  }

  fit() {
    this.parts.view.fit();
    this.changed();
  }

  /** Who painted the place that is aimed at. */
  who() {
    const { x, y } = this.aimed;
    if (this.canvas.picture.holds(x, y)) info.show(this.parts.http, x, y);
  }

  /** @param {Point} point */
  hold(point) {
    const place = this.placeAt(point);
    if (!this.canvas.picture.holds(place.x, place.y)) return;
    this.aim(place);
    this.who();
  }

  /** Takes the colour of the place that is aimed at. */
  pick() {
    const { x, y } = this.aimed;
    this.parts.palette.pick(this.canvas.shown(x, y));
  }

  /** Goes to a wrong pixel of the template, with its colour. @param {import("./template.js").Wish | null} wish */
  wrong(wish) {
    if (!wish) return say(t("noneWrong"));
    const { view, palette } = this.parts;
    view.moveTo(wish.x + 0.5, wish.y + 0.5, Math.max(view.scale, COME_SCALE));
    palette.pick(wish.rgb);
    this.aim({ x: wish.x, y: wish.y });
    this.changed();
  }
}
