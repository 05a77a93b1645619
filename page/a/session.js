// The session with the server: which connection feeds the canvas, when it is renewed, what is said
// on it. Everything happens in `tick` and in what a connection brings.
import { decode, paintMessage, PING } from "./frames.js";
import { Configuration } from "./configuration.js";
import { Gap } from "./gap.js";
import { isNewer } from "./position.js";
import { Painter } from "./painter.js";
import { Pulse } from "./pulse.js";
import { Slots } from "./slots.js";
import { Socket } from "./socket.js";

const RESUME_MS = 5_000;
const PATIENCE_MS = 5_000;
const SLEPT_MS = 90_000;
const RELOAD_MS = 3_000;

/**
 * @typedef {import("./http.js").Config} Config
 * @typedef {import("./frames.js").Frame} Frame
 * @typedef {"connecting" | "live" | "watching" | "offline"} State
 * @typedef {{http: import("./http.js").Http, canvas: import("./canvas.js").Canvas, player: string,
 *   makeSocket: (url: string) => WebSocket, now: () => number, random: () => number}} Means
 */

export class Session {
  /** @type {number | null} */
  online = null;
  notice = "";
  /** Nobody looks: no slots are fetched. */
  isHidden = false;
  /** Told of each configuration. @type {(config: Config) => void} */
  onConfig = () => {};
  #lastTick = 0;
  /** When a socket last brought the canvas. */
  #liveAt;
  #wasLive = false;
  #startedAt;
  /** When one last saw the canvas live or in slots. */
  #wellAt;
  #gap = new Gap();
  #reloadAt = Infinity;

  /** @param {Means} means */
  constructor(means) {
    this.means = means;
    const { http, canvas, now, random } = means;
    this.canvas = canvas;
    this.configuration = new Configuration(() => http.config(), random);
    this.configuration.onLoad = (config, before) => this.#configured(config, before);
    this.#startedAt = this.#wellAt = this.#liveAt = now();
    this.pulse = new Pulse(240_000);
    this.socket = new Socket({ address: () => this.#address(), make: means.makeSocket, random, now }, {
      frame: (text) => this.#frame(text),
      opened: () => this.pulse.begin(now()),
      closed: () => this.#closed(),
    });
    this.slots = new Slots({
      slot: (n) => http.slot(n),
      picture: () => this.#fetchPicture(),
      take: (slot) => {
        this.online = slot.online ?? this.online;
        return canvas.slot(slot);
      },
      random,
      now,
    });
    this.painter = new Painter(canvas, now);
  }

  get config() {
    return this.configuration.now;
  }

  /** @returns {State} */
  get state() {
    if (this.socket.isOpen && this.socket.isBased) return "live";
    if (this.slots.isWell && this.canvas.isReady) return "watching";
    return this.means.now() - this.#wellAt < 2 * PATIENCE_MS ? "connecting" : "offline";
  }

  /** The tab or the network came back. */
  woke() {
    this.socket.hurry();
    this.pulse.woke();
    this.configuration.hurry(this.means.now(), 0);
    this.tick();
  }

  tick() {
    const now = this.means.now();
    if (this.#lastTick && now - this.#lastTick > SLEPT_MS) this.pulse.woke();
    this.#lastTick = now;
    this.configuration.tick(now, this.state === "live");
    if (!this.config) return;
    this.socket.tick(now);
    if (this.socket.isOpen && this.socket.isBased) this.#tend(now);
    this.#watch(now);
    const { state } = this;
    if (state === "live" || state === "watching") this.#wellAt = now;
    const { send, ping } = this.painter.tick(state === "live");
    for (const pixel of send) this.socket.send(paintMessage(pixel));
    if (ping) this.pulse.ask();
  }

  /** A connection that brings the canvas: pings, gaps, reloads. @param {number} now */
  #tend(now) {
    this.#liveAt = now;
    this.#wasLive = true;
    const { follow } = this.canvas;
    const need = follow.epoch === "" ? null : this.pulse.tick(now, follow);
    if (need === "ping") {
      this.pulse.sent(now, follow.holds);
      this.socket.send(PING);
    } else if (need) this.#again(need === "afresh");
    if (this.#gap.isLost(follow.hasGap, now)) this.#again(false);
    if (now >= this.#reloadAt) {
      this.#reloadAt = Infinity;
      this.#fetchPicture().then(() => {
        this.#gap.expectNothing();
        this.pulse.ask();
      }, () => this.#again(true));
    }
  }

  /** Slots, while there is no socket. @param {number} now */
  #watch(now) {
    const isFailing = this.socket.failures > (this.#wasLive ? 1 : 0);
    const waits = isFailing || now - this.#liveAt > PATIENCE_MS || this.config?.full;
    if (this.socket.isBased) this.slots.stop();
    else if (waits) this.slots.start();
    if (!this.isHidden) this.slots.tick(now);
  }

  /** @param {Config} config @param {Config | null} before */
  #configured(config, before) {
    if (config.notice !== before?.notice) this.notice = config.notice;
    if (!before) this.#begin();
    this.online = config.online ?? this.online;
    this.pulse.everyMs = config.keepaliveMs;
    this.painter.cooldownMs = config.cooldownMs;
    const { epoch } = this.canvas.follow;
    if (config.epoch && epoch && config.epoch !== epoch) this.pulse.ask();
    this.onConfig(config);
  }

  /** The first picture, beside what the socket brings. */
  #begin() {
    this.#startedAt = this.means.now();
    this.#fetchPicture().then(() => this.tick(), () => {}); // Slots or the socket bring it then.
  }

  async #fetchPicture() {
    const picture = await this.means.http.picture(this.config?.bands ?? 1);
    this.canvas.fetched(picture);
    return picture;
  }

  /** Where to connect; null while there is no room, or a picture may still come first. */
  #address() {
    const { config, means, canvas } = this;
    const isEarly = !canvas.isReady && means.now() - this.#startedAt < 1_000;
    if (!config?.socket || config.full || isEarly) return null;
    const { epoch, holds } = canvas.follow;
    const from = epoch && holds && this.socket.failures < 2 ? `&from=${epoch}:${holds}` : "";
    return `${config.socket}${config.socket.includes("?") ? "&" : "?"}player=${means.player}${from}`;
  }

  /** @param {boolean} afresh */
  #again(afresh) {
    if (afresh) this.canvas.forget();
    this.socket.again(this.means.now());
  }

  #closed() {
    this.configuration.hurry(this.means.now(), 1_000 + this.means.random() * 4_000);
    this.#reloadAt = Infinity;
    this.#gap.expectNothing();
    this.canvas.reconnected();
  }

  #based() {
    const now = this.means.now();
    if (!this.socket.isBased) this.canvas.ahead.connected(now);
    this.socket.based(now);
    this.#gap.isLost(false, now);
    if (this.#wasLive) this.pulse.ask(); // Whether the server lost what we hold.
  }

  /** @param {unknown} text */
  #frame(text) {
    try {
      const frame = decode(text);
      if (frame) this.#take(frame);
    } catch {
      this.#again(true);
    }
  }

  /** @param {Frame} f */
  #take(f) {
    const now = this.means.now();
    const { canvas } = this;
    if (f.type === "init") canvas.init(f, () => this.#based(), () => this.#again(true));
    else if (f.type === "update") canvas.update(f);
    else if (f.type === "resume") {
      this.#based();
      this.#gap.expect(now + RESUME_MS);
    } else if (f.type === "resumed") {
      this.#gap.expectNothing();
      if (canvas.follow.holds === null || isNewer(f.at, canvas.follow.holds)) this.pulse.ask();
    } else if (f.type === "reload") {
      this.#reloadAt = now + this.means.random() * RELOAD_MS;
      this.#gap.expect(this.#reloadAt + 60_000);
      this.#based();
    } else if (f.type === "pong") {
      this.online = f.online ?? this.online;
      if (this.pulse.pong(f, now, canvas.follow) === "afresh") this.#again(true);
    } else if (f.type === "notice") this.notice = f.text;
    else this.painter.refused(f);
  }
}
