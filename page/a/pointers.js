// Fingers, pens and mice on the stage: drag, pinch, tap, hold, hover.

const HOLD_MS = 500;

/**
 * @typedef {{left: number, top: number}} Point
 * @typedef {{hover: (p: Point | null) => void, tap: (p: Point) => void, hold: (p: Point) => void,
 *   start: (p: Point) => void, drag: (dx: number, dy: number) => void,
 *   pinch: (factor: number, p: Point) => void, wheel: (factor: number, p: Point) => void}} Listener
 */

/** @param {PointerEvent | WheelEvent | MouseEvent} event @returns {Point} */
function pointOf(event) {
  return { left: event.clientX, top: event.clientY };
}

/** @param {Point[]} points */
function middle(points) {
  const sum = points.reduce((a, p) => ({ left: a.left + p.left, top: a.top + p.top }), { left: 0, top: 0 });
  return { left: sum.left / points.length, top: sum.top / points.length };
}

/** @param {Point[]} points */
function spread([a, b]) {
  return a && b ? Math.hypot(a.left - b.left, a.top - b.top) : 0;
}

export class Pointers {
  /** @type {Map<number, Point>} */
  #down = new Map();
  /** Whether this touch may still be a tap. */
  #isTap = false;
  /** @type {Point} */
  #began = { left: 0, top: 0 };
  #hold = 0;

  /** @param {HTMLElement} element @param {Listener} listener */
  constructor(element, listener) {
    this.element = element;
    this.listener = listener;
    element.addEventListener("pointerdown", (e) => this.#press(e));
    element.addEventListener("pointermove", (e) => this.#move(e));
    element.addEventListener("pointerup", (e) => this.#lift(e, true));
    element.addEventListener("pointercancel", (e) => this.#lift(e, false));
    element.addEventListener("pointerleave", (e) => e.pointerType === "mouse" && listener.hover(null));
    element.addEventListener("contextmenu", (e) => e.preventDefault());
    element.addEventListener("wheel", (e) => this.#wheel(e), { passive: false });
    for (const name of ["gesturestart", "gesturechange"]) element.addEventListener(name, (e) => e.preventDefault());
  }

  /** @param {PointerEvent} event */
  #press(event) {
    const point = pointOf(event);
    this.element.focus({ preventScroll: true });
    if (event.button === 2 || event.shiftKey) {
      this.listener.hold(point);
      return;
    }
    if (event.button > 1) return;
    try {
      this.element.setPointerCapture(event.pointerId);
    } catch {
      // The finger was lifted already.
    }
    this.#down.set(event.pointerId, point);
    this.#isTap = this.#down.size === 1 && event.button === 0;
    clearTimeout(this.#hold);
    if (this.#down.size > 1) return;
    this.#began = point;
    this.listener.start(point);
    if (event.pointerType === "mouse") return;
    this.#hold = window.setTimeout(() => {
      if (!this.#isTap) return;
      this.#isTap = false;
      this.listener.hold(point);
    }, HOLD_MS);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const point = pointOf(event);
    const before = this.#down.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") this.listener.hover(point);
      return;
    }
    const slack = event.pointerType === "mouse" ? 4 : 9;
    if (this.#isTap) {
      if (Math.hypot(point.left - this.#began.left, point.top - this.#began.top) < slack) return;
      this.#isTap = false;
      clearTimeout(this.#hold);
      this.element.classList.add("is-dragged");
    }
    const old = [...this.#down.values()];
    this.#down.set(event.pointerId, point);
    const points = [...this.#down.values()];
    const [a, b] = [middle(old), middle(points)];
    this.listener.drag(b.left - a.left, b.top - a.top);
    if (points.length === 2 && spread(old) > 0) this.listener.pinch(spread(points) / spread(old), b);
  }

  /** @param {PointerEvent} event @param {boolean} counts */
  #lift(event, counts) {
    clearTimeout(this.#hold);
    const wasDown = this.#down.delete(event.pointerId);
    this.element.classList.remove("is-dragged");
    if (wasDown && counts && this.#isTap && !this.#down.size) this.listener.tap(pointOf(event));
    this.#isTap = false;
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const way = Math.max(-300, Math.min(300, event.deltaY * lines));
    this.listener.wheel(Math.exp(-way * (event.ctrlKey ? 0.01 : 0.0022)), pointOf(event));
  }
}
