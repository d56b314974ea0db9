// Pointer, wheel and keys on a chart. The page scrolls over it: only a wheel with Ctrl zooms, and touch moves it sideways.

import { FREE_PLACES } from "../profiles/zoom.js";

/** @import { Places } from "./layout.js" */
/** @import { Plot } from "./drawing/plot.js" */

/** The fewest bars in view, and the share of the view that a key moves it by. */
const LEAST_BARS = 8;
const KEY_SHARE = 0.1;
const PAGE_SHARE = 0.9;
/** A pointer that moves less than this presses, CSS pixels. */
const PRESS = 4;

/**
 * A view within the bars, as long as it was.
 * @param {Places} places
 * @param {number} count of bars
 * @returns {Places}
 */
export function within({ from, to }, count) {
  const span = to - from;
  const end = Math.min(to, count - 1 + FREE_PLACES + 0.5);
  const start = Math.max(end - span, Math.min(-0.5, end - span, count - 1 + FREE_PLACES - span));
  const begin = Math.max(start, Math.min(-0.5, count - span));
  return { from: begin, to: begin + span };
}

/**
 * A view zoomed around a place that keeps its position.
 * @param {Places} places
 * @param {number} factor below 1 for fewer bars
 * @param {number} around
 * @returns {Places}
 */
export function zoomed({ from, to }, factor, around) {
  const span = Math.max(LEAST_BARS, (to - from) * factor);
  const from2 = around - ((around - from) / (to - from)) * span;
  return { from: from2, to: from2 + span };
}

/** @typedef {{ x: number, y: number }} Position within the stage, CSS pixels */
/**
 * What gestures act on.
 * @typedef {object} Target
 * @property {() => number} count of bars
 * @property {(isZoom: boolean) => void} moved after the reader has moved the view
 * @property {(at: number) => void} pointed after keys have moved the crosshair
 * @property {Readonly<Record<string, () => void>>} keys what further keys do
 */

/**
 * @param {HTMLElement} stage takes the focus
 * @param {Plot} plot
 * @param {Target} target
 */
export function setUpGestures(stage, plot, target) {
  const view = new View(plot, target);
  setUpKeys(stage, view, target.keys);
  new Pointers(stage, view);
}

/** The view of a chart, as the reader moves it. */
class View {
  /**
   * @param {Plot} plot
   * @param {Target} target
   */
  constructor(plot, target) {
    this.plot = plot;
    this.target = target;
  }

  get span() {
    return this.plot.places.to - this.plot.places.from;
  }

  /** @param {Places} places */
  pan(places) {
    this.plot.show(within(places, this.target.count()));
    this.target.moved(false);
  }

  /** @param {number} bars */
  panBy(bars) {
    const { from, to } = this.plot.places;
    this.pan({ from: from + bars, to: to + bars });
  }

  /** @param {number} factor @param {number} around @param {Places} [places] the view before */
  zoom(factor, around, places = this.plot.places) {
    this.plot.show(zoomed(places, factor, around));
    this.target.moved(true);
  }

  /** @param {number} factor without a crosshair the newest bars stay, because they matter most */
  zoomByKey(factor) {
    const { from, to } = this.plot.places;
    const at = this.plot.cursor?.at ?? to;
    this.zoom(factor, at >= from && at <= to ? at : to);
  }

  /** Moves the crosshair to the next bar. @param {1 | -1} by */
  step(by) {
    const { from, to } = this.plot.places;
    const last = this.target.count() - 1;
    const present = this.plot.cursor?.at ?? (by < 0 ? Math.min(last, Math.floor(to)) + 1 : Math.ceil(from) - 1);
    const at = Math.min(last, Math.max(0, present + by));
    this.plot.point({ at, y: null });
    if (at < from || at > to) this.panBy(at < from ? at - from - 1 : at - to + 1);
    this.target.pointed(at);
  }

  /** Moves the crosshair to a position. @param {Position} position */
  pointAt({ x, y }) {
    const at = Math.round(this.plot.placeAt(x));
    this.plot.point(x > this.plot.width || at < 0 || at >= this.target.count() ? null : { at, y });
  }
}

/**
 * @param {HTMLElement} stage
 * @param {View} view
 * @param {Target["keys"]} others
 */
function setUpKeys(stage, view, others) {
  /** @type {Readonly<Record<string, (isShift: boolean) => void>>} */
  const own = {
    ArrowLeft: (isShift) => (isShift ? view.panBy(-KEY_SHARE * view.span) : view.step(-1)),
    ArrowRight: (isShift) => (isShift ? view.panBy(KEY_SHARE * view.span) : view.step(1)),
    PageUp: () => view.panBy(-PAGE_SHARE * view.span),
    PageDown: () => view.panBy(PAGE_SHARE * view.span),
    "+": () => view.zoomByKey(0.8),
    "=": () => view.zoomByKey(0.8),
    "-": () => view.zoomByKey(1.25),
    Escape: () => view.plot.point(null),
  };
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = own[event.key] ?? others[event.key];
    if (act === undefined) return;
    event.preventDefault();
    // Some of these keys also move along the rows of tables.
    event.stopPropagation();
    act(event.shiftKey);
  });
}

/** Mouse, fingers and wheel: one pointer moves the view, two zoom it. */
class Pointers {
  #stage;
  #view;
  /** The pointers that are down, by id. @type {Map<number, Position>} */
  #down = new Map();
  /** The view and the pointers when the last of them came down or up. @type {{ places: Places, positions: Position[] } | null} */
  #grip = null;

  /**
   * @param {HTMLElement} stage
   * @param {View} view
   */
  constructor(stage, view) {
    this.#stage = stage;
    this.#view = view;
    stage.addEventListener("pointerdown", (event) => this.#press(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#release(event));
    stage.addEventListener("pointercancel", (event) => this.#release(event));
    stage.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch" && this.#grip === null) view.plot.point(null);
    });
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** @param {MouseEvent} event @returns {Position} */
  #positionOf({ clientX, clientY }) {
    const { left, top } = this.#stage.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }

  #hold() {
    const { places } = this.#view.plot;
    this.#grip = this.#down.size === 0 ? null : { places, positions: [...this.#down.values()] };
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0) return;
    this.#stage.setPointerCapture(event.pointerId);
    this.#down.set(event.pointerId, this.#positionOf(event));
    this.#hold();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const view = this.#view;
    const position = this.#positionOf(event);
    if (this.#grip === null) {
      if (event.pointerType !== "touch") view.pointAt(position);
      return;
    }
    this.#down.set(event.pointerId, position);
    const { places, positions } = this.#grip;
    const [first, second] = [...this.#down.values()];
    const [firstHeld, secondHeld] = positions;
    if (first === undefined || firstHeld === undefined) return;
    const { from, to } = places;
    const perPixel = (to - from) / view.plot.width;
    if (second !== undefined && secondHeld !== undefined) {
      const held = Math.abs(firstHeld.x - secondHeld.x);
      const middle = (firstHeld.x + secondHeld.x) / 2;
      const factor = Math.max(20, held) / Math.max(20, Math.abs(first.x - second.x));
      view.zoom(factor, from + middle * perPixel, places);
    } else if (Math.abs(first.x - firstHeld.x) >= PRESS) {
      const bars = (firstHeld.x - first.x) * perPixel;
      this.#stage.dataset.dragged = "";
      view.pan({ from: from + bars, to: to + bars });
      if (event.pointerType !== "touch") view.pointAt(position);
    }
  }

  /** @param {PointerEvent} event */
  #release(event) {
    const view = this.#view;
    this.#down.delete(event.pointerId);
    if (event.type === "pointerup" && this.#down.size === 0 && this.#stage.dataset.dragged === undefined) {
      view.pointAt(this.#positionOf(event));
      const at = view.plot.cursor?.at;
      if (at !== undefined && event.pointerType === "touch") view.target.pointed(at);
    }
    if (this.#down.size === 0) delete this.#stage.dataset.dragged;
    this.#hold();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    const view = this.#view;
    if (event.ctrlKey) {
      event.preventDefault();
      view.zoom(event.deltaY < 0 ? 0.9 : 1.1, view.plot.placeAt(this.#positionOf(event).x));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      view.panBy((event.deltaX / view.plot.width) * view.span);
    }
  }
}
