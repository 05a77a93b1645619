// The menu and the list of keys.
import { box, button } from "./dom.js";
import { t } from "./i18n.js";
import { close, toggle } from "./panels.js";
import { say } from "./toasts.js";

/** @typedef {import("./i18n.js").Key} Key */

/** @type {[string | Key, Key][]} */
const KEYS = [
  ["onDrag", "gestureDrag"], ["onPinch", "gesturePinch"], ["onHold", "gestureHold"], ["arrows", "keyMove"],
  ["+ −", "keyZoom"], ["1 … 9 0", "keyColour"], ["[ ]", "keyNextColour"], ["↵", "keyPaint"], ["P", "keyPick"],
  ["Z", "keyUndo"], ["I", "keyWho"], ["N", "keyWrong"], ["T H G", "keyToggle"], ["Esc", "keyEscape"],
];

/** @param {string} address */
async function copy(address) {
  history.replaceState(null, "", address);
  try {
    await navigator.clipboard.writeText(location.href);
    say(t("copied"));
  } catch {
    say(t("notCopied"));
  }
}

/** @param {import("./picture.js").Picture} picture */
async function save(picture) {
  try {
    const { encodePng } = await import("./encode.js");
    const url = URL.createObjectURL(await encodePng(picture));
    Object.assign(document.createElement("a"), { href: url, download: "place.png" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch {
    say(t("saveFailed"));
  }
}

/** @param {{picture: import("./picture.js").Picture, link: () => string, grid: () => void}} means */
export function wire({ picture, link, grid }) {
  const list = KEYS.flatMap(([key, does]) => {
    const [term, text] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = /^(on[A-Z]|arrows)/.test(key) ? t(/** @type {Key} */ (key)) : key;
    text.textContent = t(does);
    return [term, text];
  });
  box("help-list").replaceChildren(...list);
  button("menu-open").addEventListener("click", () => toggle("menu"));
  button("help-open").addEventListener("click", () => toggle("help"));
  button("grid").addEventListener("click", grid);
  button("share").addEventListener("click", () => {
    close();
    copy(link());
  });
  button("save").addEventListener("click", () => {
    close();
    save(picture);
  });
}
