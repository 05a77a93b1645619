// The panel of the template: loading it, placing it, its progress.
import { toText } from "./colours.js";
import { surface } from "./decode.js";
import { box, button, element, input, write } from "./dom.js";
import { number, t } from "./i18n.js";
import { isSize } from "./limits.js";
import { Template } from "./template.js";

/** @typedef {import("./template.js").Wish} Wish */

export class TemplatePanel {
  /** Told when the template changed. */
  onChange = () => {};
  /** Told which wrong pixel is to be shown. @type {(wish: Wish | null) => void} */
  onNext = () => {};

  /**
   * @param {import("./overlay.js").Overlay} overlay
   * @param {{palette: () => number[], from: () => {x: number, y: number}}} means
   */
  constructor(overlay, means) {
    this.overlay = overlay;
    this.means = means;
    input("template-file").addEventListener("change", () => {
      const file = input("template-file").files?.[0];
      if (file) this.#load(createImageBitmap(file), null, means.from());
    });
    box("template-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const url = input("template-url").value.trim();
      if (url) this.loadUrl(url, means.from());
    });
    for (const id of ["template-x", "template-y", "template-opacity"]) input(id).addEventListener("input", () => this.#read());
    element("template-only", HTMLSelectElement).addEventListener("change", () => this.#read());
    input("template-marks").addEventListener("change", () => this.#read());
    button("template-next").addEventListener("click", () => this.next());
    button("template-remove").addEventListener("click", () => this.#remove());
  }

  get isMoving() {
    return this.overlay.template !== null && input("template-move").checked;
  }

  /**
   * @param {string} url
   * @param {{x: number, y: number, opacity?: number}} place
   */
  async loadUrl(url, place) {
    input("template-url").value = url;
    const image = new Image();
    image.crossOrigin = "anonymous"; // Else its pixels could not be read.
    image.referrerPolicy = "no-referrer";
    image.src = url;
    const bitmap = image.decode().then(() => createImageBitmap(image), () => Promise.reject(new Error("templateForbidden")));
    await this.#load(bitmap, url, place);
  }

  /**
   * @param {Promise<ImageBitmap>} coming
   * @param {string | null} url
   * @param {{x: number, y: number, opacity?: number}} place
   */
  async #load(coming, url, { x, y, opacity }) {
    write(box("template-state"), t("loading"));
    try {
      const bitmap = await coming;
      const { width, height } = bitmap;
      if (!isSize(width, height) || width * height > 4096 * 4096) throw new Error("a picture that is too large");
      const { context } = surface(width, height);
      context.drawImage(bitmap, 0, 0);
      const template = new Template(width, height, context.getImageData(0, 0, width, height).data, this.means.palette());
      Object.assign(template, { x, y, opacity: opacity ?? template.opacity });
      this.overlay.set(template, url);
      write(box("template-state"), "");
      this.#fill(template);
      this.onChange();
    } catch (error) {
      const isForbidden = error instanceof Error && error.message === "templateForbidden";
      write(box("template-state"), t(isForbidden ? "templateForbidden" : "templateFailed"));
    }
  }

  /** @param {Template} template */
  #fill(template) {
    box("template-set").hidden = false;
    input("template-opacity").value = String(template.opacity);
    const colours = template.palette().slice(0, 256);
    const option = (/** @type {string} */ value, /** @type {string} */ text) => Object.assign(document.createElement("option"), { value, textContent: text });
    element("template-only", HTMLSelectElement).replaceChildren(option("", t("allColours")), ...colours.map((rgb) => option(String(rgb), toText(rgb))));
    this.place();
  }

  /** Shows where the template is. */
  place() {
    const { template } = this.overlay;
    if (!template) return;
    input("template-x").value = String(template.x);
    input("template-y").value = String(template.y);
  }

  #read() {
    const { template } = this.overlay;
    if (!template) return;
    const whole = (/** @type {string} */ id) => Math.max(-65535, Math.min(65535, Math.trunc(Number(input(id).value)) || 0));
    template.x = whole("template-x");
    template.y = whole("template-y");
    template.opacity = Number(input("template-opacity").value);
    const only = element("template-only", HTMLSelectElement).value;
    template.only = only === "" ? null : Number(only);
    this.overlay.hasMarks = input("template-marks").checked;
    this.overlay.changed();
    this.onChange();
  }

  #remove() {
    this.overlay.set(null, null);
    box("template-set").hidden = true;
    input("template-file").value = input("template-url").value = "";
    input("template-move").checked = false;
    this.onChange();
  }

  #progress() {
    const { overlay, means } = this;
    const { canvas, template } = overlay;
    return template?.progress(canvas.picture, (x, y) => canvas.shown(x, y), means.from()) ?? null;
  }

  /** Shows the progress. */
  show() {
    const found = this.#progress();
    if (!found) return;
    const right = found.wishes - found.wrong;
    const share = found.wishes ? right / found.wishes : 1;
    element("template-progress", HTMLProgressElement).value = share;
    const percent = number(Math.floor(share * 1000) / 10);
    write(box("template-state"), t("templateDone", { right, all: found.wishes, percent }));
  }

  /** Goes to the next wrong pixel. */
  next() {
    const found = this.#progress();
    if (found) this.onNext(found.next);
  }
}
