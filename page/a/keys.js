// The keyboard: what each key does, unless somebody is typing.

/**
 * @typedef {{move: (dx: number, dy: number) => void, zoom: (factor: number) => void,
 *   colour: (index: number) => void, nextColour: (step: number) => void, paint: () => void,
 *   pick: () => void, undo: () => void, who: () => void, wrong: () => void, template: () => void,
 *   heat: () => void, grid: () => void, help: () => void, escape: () => void}} Actions
 */

/** @type {Record<string, [number, number]>} */
const WAYS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  KeyA: [-1, 0], KeyD: [1, 0], KeyW: [0, -1], KeyS: [0, 1],
};

/** @type {Record<string, keyof Actions>} */
const SIMPLE = {
  p: "pick", z: "undo", i: "who", n: "wrong", t: "template", h: "heat", g: "grid", "?": "help", Escape: "escape",
};

/** @param {EventTarget | null} target @param {string} key */
function isTaken(target, key) {
  if (!(target instanceof HTMLElement) || target.id === "stage") return false;
  if (key === "Escape") return false;
  const isTyping = target.matches("input:not([type=checkbox]):not([type=color]), select, textarea");
  const isPressing = target.matches("button, a, input") && (key === "Enter" || key === " ");
  return isTyping || isPressing || (key.startsWith("Arrow") && target.matches("[role=radio], input"));
}

/** @param {Actions} actions */
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    const { key, code } = event;
    if (event.defaultPrevented || event.isComposing || isTaken(event.target, key)) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && key.toLowerCase() === "z") actions.undo();
    else if (command || event.altKey || !act(event, key, code, actions)) return;
    event.preventDefault();
  });
}

/**
 * Answers whether the key did something.
 * @param {KeyboardEvent} event
 * @param {string} key
 * @param {string} code
 * @param {Actions} actions
 */
function act(event, key, code, actions) {
  const way = WAYS[code];
  const step = event.shiftKey ? 10 : 1;
  // Some keyboards have digits behind Shift only: their place counts there.
  const digit = /^\d$/.test(key) ? key : event.shiftKey ? null : /^(?:Digit|Numpad)(\d)$/.exec(code)?.[1];
  const simple = SIMPLE[key.length === 1 ? key.toLowerCase() : key];
  if (way) actions.move(way[0] * step, way[1] * step);
  else if (key === "+" || key === "=") actions.zoom(1.5);
  else if (key === "-" || key === "_") actions.zoom(1 / 1.5);
  else if (digit) actions.colour((Number(digit) + 9) % 10);
  else if (key === "[" || key === ",") actions.nextColour(-1);
  else if (key === "]" || key === ".") actions.nextColour(1);
  else if ((key === "Enter" || key === " ") && !event.repeat) actions.paint();
  else if (simple) /** @type {() => void} */ (actions[simple])();
  else return false;
  return true;
}
