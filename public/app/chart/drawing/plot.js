// The drawing of a chart on two canvases: bars and panes, and above them a crosshair, so that a moved pointer draws no bars.
// It is drawn with the next frame after a change.

import { placeOf } from "../layout.js";
import { drawBars } from "./bars-layer.js";
import { drawCursor } from "./cursor-layer.js";
import { Frame } from "./scene.js";

/**
 * @import { Places } from "../layout.js"
 * @import { Cursor, Scene } from "./scene.js"
 */

const FONT_SIZE = 11;

/** Both canvases fill `holder`. */
export class Plot {
  #frame = new Frame();
  /** @type {Cursor | null} */
  #cursor = null;
  #font = `${FONT_SIZE}px ${getComputedStyle(document.body).fontFamily}`;
  /** The bars, and the crosshair above them. */
  #base = document.createElement("canvas");
  #above = document.createElement("canvas");
  #holder;
  #scene;
  /** The animation frame that will draw; 0 if none is requested. */
  #requested = 0;
  /** Whether more than the crosshair has changed. */
  #isStale = false;

  /**
   * @param {HTMLElement} holder
   * @param {() => Scene} scene
   */
  constructor(holder, scene) {
    this.#holder = holder;
    this.#scene = scene;
    holder.replaceChildren(this.#base, this.#above);
    new ResizeObserver(() => this.#resize()).observe(holder);
    this.#resize();
  }

  get places() {
    return this.#frame.places;
  }

  get cursor() {
    return this.#cursor;
  }

  /** The width of the panes. */
  get width() {
    return this.#frame.plotWidth;
  }

  get height() {
    return this.#frame.height;
  }

  /** @param {Places} places */
  show(places) {
    this.#frame.places = places;
    this.redraw();
  }

  /** @param {Cursor | null} cursor */
  point(cursor) {
    this.#cursor = cursor;
    this.#request();
  }

  redraw() {
    this.#isStale = true;
    this.#request();
  }

  /**
   * The place below a position.
   * @param {number} x
   */
  placeAt(x) {
    return placeOf(x, this.places, this.width);
  }

  #request() {
    if (this.#requested !== 0) return;
    this.#requested = requestAnimationFrame(() => {
      this.#requested = 0;
      if (this.#frame.width > 0) this.#draw();
    });
  }

  #draw() {
    const scene = this.#scene();
    if (this.#isStale) drawBars(this.#contextOf(this.#base), this.#frame, scene);
    this.#isStale = false;
    drawCursor(this.#contextOf(this.#above), this.#frame, scene, this.#cursor);
  }

  /** @param {HTMLCanvasElement} canvas */
  #contextOf(canvas) {
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.font = this.#font;
    return context;
  }

  #resize() {
    const ratio = window.devicePixelRatio || 1;
    [this.#frame.width, this.#frame.height] = [this.#holder.clientWidth, this.#holder.clientHeight];
    for (const canvas of [this.#base, this.#above]) {
      canvas.width = Math.round(this.#frame.width * ratio);
      canvas.height = Math.round(this.#frame.height * ratio);
      this.#contextOf(canvas).setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.redraw();
  }
}
