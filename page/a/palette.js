// The colours at the bottom: a group of radio buttons, and a picker where any colour is allowed.
import { USUAL, fromText, toText } from "./colours.js";
import { t } from "./i18n.js";
import { keep, recall } from "./settings.js";

export class Palette {
  /** @type {number[]} */
  colours = [];
  /** @type {number | null} */
  chosen = null;
  isFree = true;
  /** @type {(rgb: number | null) => void} */
  onChoice = () => {};
  /** Told when a mouse or finger chose. */
  onPointer = () => {};
  /** @type {HTMLInputElement | null} */
  #picker = null;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    element.addEventListener("keydown", (event) => this.#key(event));
    element.addEventListener("wheel", (event) => {
      if (event.deltaX === 0) element.scrollLeft += event.deltaY;
    }, { passive: true });
  }

  /** Offers these colours; the usual ones and a picker where there are none. @param {number[]} palette */
  offer(palette) {
    const colours = palette.length ? palette : USUAL;
    const isFree = palette.length === 0;
    if (this.colours.length && isFree === this.isFree && colours.join() === this.colours.join()) return;
    this.colours = [...colours];
    this.isFree = isFree;
    this.element.replaceChildren(...colours.map((rgb, n) => this.#swatch(rgb, n)), ...(isFree ? [this.#other()] : []));
    this.element.classList.toggle("is-few", colours.length <= 8);
    if (this.chosen !== null && !isFree && !colours.includes(this.chosen)) this.choose(null);
    else this.#show();
  }

  /** @param {number} rgb @param {number} n */
  #swatch(rgb, n) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "swatch";
    button.setAttribute("role", "radio");
    button.style.backgroundColor = toText(rgb);
    button.title = toText(rgb);
    button.setAttribute("aria-label", t("colour", { n: n + 1, hex: toText(rgb) }));
    button.addEventListener("click", (event) => {
      this.choose(this.chosen === rgb ? null : rgb);
      if (event.detail) this.onPointer(); // By mouse or finger: the next Enter is meant for the canvas.
    });
    return button;
  }

  #other() {
    const label = document.createElement("label");
    label.className = "swatch is-other";
    label.title = t("otherColour");
    const input = document.createElement("input");
    input.type = "color";
    input.value = recall("colour") ?? "#ff4500";
    input.setAttribute("aria-label", t("otherColour"));
    input.addEventListener("input", () => {
      keep("colour", input.value);
      this.choose(fromText(input.value));
    });
    label.append(input);
    this.#picker = input;
    return label;
  }

  /** @param {number | null} rgb */
  choose(rgb) {
    this.chosen = rgb;
    this.#show();
    this.onChoice(rgb);
  }

  /** Chooses the colour before or after. @param {number} step */
  step(step) {
    const count = this.colours.length;
    const now = this.chosen === null ? (step > 0 ? -1 : count) : this.colours.indexOf(this.chosen);
    this.choose(this.colours[(now + step + count) % count] ?? null);
  }

  /** Takes a colour of the canvas. @param {number} rgb */
  pick(rgb) {
    if (this.isFree || this.colours.includes(rgb)) this.choose(rgb);
  }

  #show() {
    const at = this.chosen === null ? -1 : this.colours.indexOf(this.chosen);
    [...this.element.querySelectorAll("[role=radio]")].forEach((button, n) => {
      button.setAttribute("aria-checked", String(n === at));
      if (button instanceof HTMLElement) button.tabIndex = n === Math.max(0, at) ? 0 : -1;
      if (n === at) button.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
    if (!this.#picker) return;
    const isOther = this.chosen !== null && at < 0;
    if (isOther && this.chosen !== null) this.#picker.value = toText(this.chosen);
    this.#picker.parentElement?.classList.toggle("is-on", isOther);
    if (this.#picker.parentElement) this.#picker.parentElement.style.background = isOther ? this.#picker.value : "";
  }

  /** Arrow keys move among the colours. @param {KeyboardEvent} event */
  #key(event) {
    const isAhead = document.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const step = event.key === isAhead || event.key === "ArrowDown" ? 1 : event.key.startsWith("Arrow") ? -1 : 0;
    if (!step || !(event.target instanceof HTMLButtonElement)) return;
    event.preventDefault();
    this.step(step);
    const chosen = this.element.querySelector("[aria-checked=true]");
    if (chosen instanceof HTMLElement) chosen.focus();
  }
}
