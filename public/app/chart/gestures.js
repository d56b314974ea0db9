// Pointer, wheel and keys on a chart. The page scrolls over it: only a wheel with Ctrl zooms, and touch moves it sideways.

import { FREE_PLACES } from "../profiles/zoom.js";

/** @import { Places } from "./layout.js" */
/** @import { Plot } from "./plot.js" */

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

/**
 * @param {HTMLElement} stage takes the focus
 * @param {Plot} plot
 * @param {object} target
 * @param {() => number} target.count of bars
 * @param {(isZoom: boolean) => void} target.moved after the reader has moved the view
 * @param {(at: number) => void} target.pointed after keys have moved the crosshair
 * @param {Readonly<Record<string, () => void>>} target.keys what further keys do
 */
export function setUpGestures(stage, plot, { count, moved, pointed, keys }) {
  /** @param {Places} places */
  const pan = (places) => {
    plot.show(within(places, count()));
    moved(false);
  };
  /** @param {number} bars */
  const panBy = (bars) => {
    const { from, to } = plot.places();
    pan({ from: from + bars, to: to + bars });
  };
  /** @param {number} factor @param {number} around */
  const zoom = (factor, around) => {
    plot.show(zoomed(plot.places(), factor, around));
    moved(true);
  };
  /** @param {number} factor without a crosshair the newest bars stay, because they matter most */
  const zoomByKey = (factor) => {
    const { from, to } = plot.places();
    const at = plot.cursor()?.at ?? to;
    zoom(factor, at >= from && at <= to ? at : to);
  };
  /** @param {1 | -1} by */
  const step = (by) => {
    const { from, to } = plot.places();
    const last = count() - 1;
    const present = plot.cursor()?.at ?? (by < 0 ? Math.min(last, Math.floor(to)) + 1 : Math.ceil(from) - 1);
    const at = Math.min(last, Math.max(0, present + by));
    plot.point({ at, y: null });
    if (at < from || at > to) panBy(at < from ? at - from - 1 : at - to + 1);
    pointed(at);
  };
  const span = () => plot.places().to - plot.places().from;
  /** @type {Readonly<Record<string, (isShift: boolean) => void>>} */
  const own = {
    ArrowLeft: (isShift) => (isShift ? panBy(-KEY_SHARE * span()) : step(-1)),
    ArrowRight: (isShift) => (isShift ? panBy(KEY_SHARE * span()) : step(1)),
    PageUp: () => panBy(-PAGE_SHARE * span()),
    PageDown: () => panBy(PAGE_SHARE * span()),
    "+": () => zoomByKey(0.8),
    "=": () => zoomByKey(0.8),
    "-": () => zoomByKey(1.25),
    Escape: () => plot.point(null),
  };
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = own[event.key] ?? keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    // Some of these keys also move along the rows of tables.
    event.stopPropagation();
    act(event.shiftKey);
  });

  /** @param {{ clientX: number, clientY: number }} event */
  const positionOf = ({ clientX, clientY }) => {
    const { left, top } = stage.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };
  /** @param {{ clientX: number, clientY: number }} event */
  const point = (event) => {
    const { x, y } = positionOf(event);
    const at = Math.round(plot.placeAt(x));
    plot.point(x > plot.width() || at < 0 || at >= count() ? null : { at, y });
  };
  /** @type {Map<number, { x: number, y: number }>} */
  const down = new Map();
  /** @type {{ places: Places, positions: { x: number, y: number }[] } | null} */
  let grip = null;
  const hold = () => {
    grip = down.size === 0 ? null : { places: plot.places(), positions: [...down.values()] };
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    down.set(event.pointerId, positionOf(event));
    hold();
  });
  stage.addEventListener("pointermove", (event) => {
    if (grip === null) {
      if (event.pointerType !== "touch") point(event);
      return;
    }
    down.set(event.pointerId, positionOf(event));
    const [first, second] = [...down.values()];
    const [firstHeld, secondHeld] = grip.positions;
    if (first === undefined || firstHeld === undefined) return;
    const { from, to } = grip.places;
    const perPixel = (to - from) / plot.width();
    if (second !== undefined && secondHeld !== undefined) {
      const held = Math.abs(firstHeld.x - secondHeld.x);
      const middle = (firstHeld.x + secondHeld.x) / 2;
      const factor = Math.max(20, held) / Math.max(20, Math.abs(first.x - second.x));
      plot.show(zoomed(grip.places, factor, from + middle * perPixel));
      moved(true);
    } else if (Math.abs(first.x - firstHeld.x) >= PRESS) {
      const bars = (firstHeld.x - first.x) * perPixel;
      stage.dataset.dragged = "";
      pan({ from: from + bars, to: to + bars });
      if (event.pointerType !== "touch") point(event);
    }
  });
  /** @param {PointerEvent} event */
  const release = (event) => {
    down.delete(event.pointerId);
    if (event.type === "pointerup" && down.size === 0 && stage.dataset.dragged === undefined) {
      point(event);
      const at = plot.cursor()?.at;
      if (at !== undefined && event.pointerType === "touch") pointed(at);
    }
    if (down.size === 0) delete stage.dataset.dragged;
    hold();
  };
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch" && grip === null) plot.point(null);
  });
  stage.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey) {
        event.preventDefault();
        zoom(event.deltaY < 0 ? 0.9 : 1.1, plot.placeAt(positionOf(event).x));
      } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        panBy((event.deltaX / plot.width()) * span());
      }
    },
    { passive: false },
  );
}
