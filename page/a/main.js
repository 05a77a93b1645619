// The entry: makes the parts, wires them, and keeps time.
import { Canvas } from "./canvas.js";
import { decode } from "./decode.js";
import { expose } from "./debugging.js";
import { Desk } from "./desk.js";
import { box, button, element } from "./dom.js";
import { Heat } from "./heat.js";
import { Http } from "./http.js";
import * as i18n from "./i18n.js";
import { listen } from "./keys.js";
import { Marks } from "./marks.js";
import * as menu from "./menu.js";
import { Overlay } from "./overlay.js";
import { Palette } from "./palette.js";
import * as panels from "./panels.js";
import { player } from "./player.js";
import { Pointers } from "./pointers.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import * as status from "./status.js";
import { TemplatePanel } from "./template-panel.js";
import { Tiles } from "./tiles.js";
import { say } from "./toasts.js";
import { View } from "./view.js";
import { Warmth } from "./warmth.js";

const TICK_MS = 250;
const HIDDEN_TICK_MS = 5_000;

const wanted = new URLSearchParams(location.search).getAll("lang");
const language = i18n.choose([...wanted, ...navigator.languages]);
if (language !== "en") await i18n.load(language);
i18n.fill();

const http = new Http(document.baseURI, { get: (url, init) => fetch(url, init), decode });
const canvas = new Canvas(decode);
const session = new Session({
  http, canvas, player: player(), now: () => Date.now(), random: Math.random,
  makeSocket: (url) => new WebSocket(url),
});
const view = new View();
const heat = new Heat();
const tiles = new Tiles(canvas);
const warmth = new Warmth(heat);
const overlay = new Overlay(canvas);
const marks = new Marks();
const palette = new Palette(box("colours"));
const stage = new Stage(element("stage", HTMLCanvasElement), view, [tiles, warmth, overlay, marks]);
const ask = () => stage.ask();
tiles.ask = marks.ask = ask;
const desk = new Desk({ session, http, view, marks, palette, overlay, ask });
const panel = new TemplatePanel(overlay, { palette: () => session.config?.palette ?? [], from: () => desk.aimed });

// The canvas changes.
canvas.picture.onPlace = (x, y) => {
  tiles.mark(x, y);
  overlay.mark(x, y);
  ask();
};
canvas.onChange = (x, y) => heat.add(x, y, Date.now());
canvas.picture.onWhole = () => {
  const { width, height } = canvas.picture;
  const isNew = view.canvas.width !== width || view.canvas.height !== height;
  heat.resize(width, height);
  tiles.reset();
  overlay.changed();
  if (isNew) {
    view.canvas = { width, height };
    view.fit();
    desk.aim(marks.cross);
    const shared = desk.follow();
    if (shared && !overlay.template) panel.loadUrl(shared.url, shared);
    box("stage").setAttribute("aria-label", i18n.t("canvas", { width, height }));
  }
  ask();
};
session.onConfig = (config) => palette.offer(config.palette);
session.painter.onRefused = (told) => desk.refuse(told.code, told);

// A person does something.
/** Whether what is dragged is the template. */
let isTemplateDragged = false;
let [restX, restY] = [0, 0];
new Pointers(box("stage"), {
  hover: (point) => {
    if (point) desk.aim(desk.placeAt(point));
  },
  start: (point) => {
    const { x, y } = desk.placeAt(point);
    const { template } = overlay;
    isTemplateDragged = panel.isMoving && !!template && x >= template.x && y >= template.y && x < template.x + template.width && y < template.y + template.height;
    restX = restY = 0;
  },
  tap: (point) => desk.tap(point),
  hold: (point) => desk.hold(point),
  drag: (dx, dy) => {
    if (isTemplateDragged) dragTemplate(dx / view.scale, dy / view.scale);
    else view.pan(dx, dy);
    desk.changed();
  },
  pinch: zoomTo,
  wheel: zoomTo,
});

/** @param {number} factor @param {import("./pointers.js").Point} point */
function zoomTo(factor, { left, top }) {
  view.zoom(factor, left, top);
  desk.changed();
}

/** @param {number} dx @param {number} dy in pixels of the canvas */
function dragTemplate(dx, dy) {
  const { template } = overlay;
  if (!template) return;
  [restX, restY] = [restX + dx, restY + dy];
  const [x, y] = [Math.trunc(restX), Math.trunc(restY)];
  [restX, restY] = [restX - x, restY - y];
  [template.x, template.y] = [template.x + x, template.y + y];
  overlay.changed();
  panel.place();
}

function toggleHeat() {
  warmth.isOn = !warmth.isOn;
  button("heat").setAttribute("aria-pressed", String(warmth.isOn));
  if (warmth.isOn) say(i18n.t("heatOn"));
  ask();
}

function toggleGrid() {
  marks.hasGrid = !marks.hasGrid;
  button("grid").setAttribute("aria-pressed", String(marks.hasGrid));
  ask();
}

function escape() {
  if (!panels.close()) palette.choose(null);
}

palette.onChoice = (rgb) => {
  marks.colour = rgb;
  show();
  ask();
};
palette.onPointer = () => box("stage").focus({ preventScroll: true });
panel.onChange = () => desk.changed();
panel.onNext = (wish) => desk.wrong(wish);
listen({
  move: (dx, dy) => desk.move(dx, dy), zoom: (factor) => desk.zoom(factor),
  colour: (n) => n < palette.colours.length && palette.choose(palette.colours[n] ?? null),
  nextColour: (step) => palette.step(step), paint: () => desk.paint(), pick: () => desk.pick(),
  undo: () => desk.undo(), who: () => desk.who(), wrong: () => panel.next(),
  template: () => panels.toggle("template"), heat: toggleHeat, grid: toggleGrid,
  help: () => panels.toggle("help"), escape,
});
button("paint").addEventListener("click", () => desk.paint());
button("undo").addEventListener("click", () => desk.undo());
button("who").addEventListener("click", () => desk.who());
button("nearer").addEventListener("click", () => desk.zoom(1.6));
button("farther").addEventListener("click", () => desk.zoom(1 / 1.6));
button("fit").addEventListener("click", () => desk.fit());
button("heat").addEventListener("click", toggleHeat);
button("template-open").addEventListener("click", () => panels.toggle("template"));
menu.wire({ picture: canvas.picture, link: () => desk.link(), grid: toggleGrid });
panels.wire();
status.wire();
addEventListener("hashchange", () => {
  const shared = desk.follow();
  if (shared && shared.url !== overlay.url) panel.loadUrl(shared.url, shared);
});

// Time passes.
function show() {
  status.showAim(session, { cross: desk.cross, colour: palette.chosen, isNear: desk.isNear });
}

stage.onFrame = show;
let timer = 0;
let ticks = 0;
function tick() {
  session.tick();
  if (document.hidden) return;
  status.show(session);
  show();
  ticks += 1;
  if (ticks % 4 === 0 && panels.isOpen("template")) panel.show();
  if (ticks % 4 === 0 && warmth.isOn) ask();
}

function keepTime() {
  clearInterval(timer);
  timer = window.setInterval(tick, document.hidden ? HIDDEN_TICK_MS : TICK_MS);
}
document.addEventListener("visibilitychange", () => {
  keepTime();
  session.isHidden = document.hidden;
  if (!document.hidden) session.woke();
});
addEventListener("online", () => session.woke());
addEventListener("pageshow", (event) => event.persisted && session.woke());

expose(session);
session.isHidden = document.hidden;
keepTime();
session.tick();
