// The chart of a profile, loaded only by its page: bars, volume and the chosen overlays, read from /api/bars and
// /api/features in parts. Without this script the page shows every number and offers downloads.

import { colourOf, readColours } from "./profiles/chart-colours.js";
import { barsOf, pointsOf, readRows } from "./profiles/chart-data.js";
import { chosenLines, writeOverlays } from "./profiles/overlays.js";
import { find } from "./ui/dom.js";

/**
 * @import { CandlestickData, HistogramData, IRange, ISeriesApi, LineData, LineWidth, MouseEventParams, UTCTimestamp } from "lightweight-charts"
 * @import { Bar, Point } from "./profiles/chart-data.js"
 * @import { Line } from "./profiles/overlays.js"
 */

/** @typedef {Line & { series: ISeriesApi<"Line">, points: Point[] }} DrawnLine */

const root = /** @type {HTMLElement} */ (find("#chart"));
/** @param {string} selector */
const part = (selector) => /** @type {HTMLElement} */ (find(selector, root));
const form = /** @type {HTMLFormElement} */ (part(".overlays"));
const stage = part(".chart-stage");
const canvas = part(".chart-canvas");
const note = part(".chart-note");
const readout = part(".chart-readout");
const { symbol = "", interval = "", adjust = "", library = "" } = root.dataset;
/** Whether a bar is named by its date. */
const isDated = ["1d", "1w", "1mo"].includes(interval);
const shown = { symbol, interval, adjust };

/** @type {number} The library draws any width, but its type allows only whole numbers. */
const LINE_WIDTH = 1.5;

// The loaded data: the bars from `loadedFrom` on (epoch seconds), and the points of each drawn line.
const first = Number(root.dataset.first);
const end = Number(root.dataset.to);
let loadedFrom = Number(root.dataset.from);
const piece = Math.max(end - loadedFrom, 86_400);
/** @type {Bar[]} */
let bars = [];
/** @type {Map<string, DrawnLine>} */
const drawn = new Map();

// Requests older bars when the view nears the oldest loaded one; replaced once there is a chart.
let loadMore = () => {};

// One task after the other, so that the loaded data has no gaps.
let queue = Promise.resolve();
let waiting = 0;
/** @param {() => Promise<void>} task */
function enqueue(task) {
  waiting += 1;
  stage.setAttribute("aria-busy", "true");
  queue = queue.then(task).then(
    () => finish(""),
    (error) => finish(`The chart could not be drawn: ${error.message}`),
  );
}
/** @param {string} fault what went wrong, or an empty string */
function finish(fault) {
  showNote(fault);
  waiting -= 1;
  // After a fault nothing is requested again until the chart is moved.
  if (waiting === 0 && fault === "") loadMore();
  if (waiting === 0) stage.setAttribute("aria-busy", "false");
}
/** @param {string} text */
const showNote = (text) => {
  if (note.textContent !== text) note.textContent = text;
};

const probe = document.createElement("span");
probe.hidden = true;
root.append(probe);
/** @type {ReturnType<typeof readColours>} */
let colours;

showNote("Loading bars…");
enqueue(async () => {
  /** @type {typeof import("lightweight-charts")} */
  const charts = await import(library);
  const chart = charts.createChart(canvas, {
    autoSize: true,
    layout: { attributionLogo: false, fontSize: 11, fontFamily: getComputedStyle(document.body).fontFamily },
    // The page scrolls over the chart, so the wheel zooms only with Ctrl, and touch moves the chart only sideways.
    handleScale: { mouseWheel: false },
    handleScroll: { mouseWheel: true, vertTouchDrag: false },
    timeScale: { timeVisible: !isDated, secondsVisible: false, rightOffset: 3, borderVisible: false },
    rightPriceScale: { borderVisible: false, entireTextOnly: true, scaleMargins: { top: 0.06, bottom: 0.24 } },
    crosshair: { mode: charts.CrosshairMode.Normal },
    localization: { locale: "en-US", dateFormat: "yyyy-MM-dd" },
  });
  const scale = chart.timeScale();
  const candles = chart.addSeries(charts.CandlestickSeries, { priceLineVisible: false });
  const volume = chart.addSeries(charts.HistogramSeries, {
    priceScaleId: "",
    priceFormat: { type: "volume" },
    lastValueVisible: false,
    priceLineVisible: false,
  });
  volume.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });

  function showBars() {
    candles.setData(bars);
    volume.setData(
      bars.map(({ time, open, close, volume: value }) =>
        value === null ? { time } : { time, value, color: close < open ? colours.fallVolume : colours.riseVolume },
      ),
    );
  }

  /**
   * Colours a line by whether it lies below or above the price. A point's colour is that of the segment that begins at
   * it, so the segment before a change of sides is left out.
   * @param {readonly Point[]} points
   * @returns {Point[]}
   */
  function sided(points) {
    const closes = new Map(bars.map(({ time, close }) => [time, close]));
    const sides = points.map((point) =>
      "value" in point && point.value < Number(closes.get(point.time)) ? colours.rise : colours.fall,
    );
    return points.map((point, index) => {
      if (!("value" in point)) return point;
      const jumps = sides[index + 1] !== undefined && sides[index + 1] !== sides[index];
      return { ...point, color: jumps ? "transparent" : sides[index] };
    });
  }
  /** @param {DrawnLine} line */
  const showLine = ({ series, points, style }) => series.setData(style === "sides" ? sided(points) : points);

  /**
   * @param {Line} line
   * @param {Point[]} points
   */
  function addLine(line, points) {
    const dots = line.style === "dots";
    const series = chart.addSeries(charts.LineSeries, {
      color: colourOf(line.swatch),
      lineWidth: /** @type {LineWidth} */ (LINE_WIDTH),
      lineVisible: !dots,
      pointMarkersVisible: dots,
      pointMarkersRadius: 1.5,
      priceLineVisible: false,
      lastValueVisible: false,
      crosshairMarkerVisible: false,
    });
    const drawnLine = { ...line, series, points };
    drawn.set(line.name, drawnLine);
    showLine(drawnLine);
  }

  async function syncOverlays() {
    const wanted = chosenLines(form);
    for (const [name, { series }] of drawn) {
      if (wanted.some((line) => line.name === name)) continue;
      chart.removeSeries(series);
      drawn.delete(name);
    }
    const missing = wanted.filter(({ name }) => !drawn.has(name));
    if (missing.length > 0) {
      const names = missing.map(({ name }) => name);
      const rows = await readRows("features", shown, loadedFrom, end, names);
      for (const line of missing) addLine(line, pointsOf(rows, line.name));
    }
    describe();
  }

  async function loadOlder() {
    const to = loadedFrom;
    const names = [...drawn.keys()];
    let from = to;
    /** @type {Awaited<ReturnType<typeof readRows>>} */
    let older = [];
    while (older.length === 0 && from > first) {
      from = Math.max(first, from - piece);
      older = await readRows("bars", shown, from, to);
    }
    const features = names.length > 0 && older.length > 0 ? await readRows("features", shown, from, to, names) : [];
    loadedFrom = from;
    bars = [...barsOf(older), ...bars];
    showBars();
    for (const line of drawn.values()) {
      line.points = [...pointsOf(features, line.name), ...line.points];
      showLine(line);
    }
  }

  // The values under the crosshair as text; without a crosshair those of the last bar.
  /** @param {number} value */
  const amount = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 2 });
  /** @param {number | undefined} value */
  const price = (value) => value?.toFixed(precision) ?? "–";
  /**
   * @param {string} label
   * @param {string} text
   * @param {readonly HTMLElement[]} swatches
   */
  function entry(label, text, swatches = []) {
    const span = document.createElement("span");
    const name = document.createElement("em");
    name.textContent = label;
    span.append(...swatches.map((swatch) => swatch.cloneNode()), name, ` ${text}`);
    return span;
  }
  // In the order of the check boxes, not in the order of drawing.
  const linesDrawn = () => chosenLines(form).flatMap(({ name }) => drawn.get(name) ?? []);
  /** @param {MouseEventParams} [param] */
  function describe(param) {
    const hovered = param?.seriesData?.has(candles) ? param.seriesData : null;
    const last = bars.at(-1);
    const bar = /** @type {CandlestickData<UTCTimestamp> | undefined} */ (hovered?.get(candles)) ?? last;
    if (bar === undefined) return;
    const iso = new Date(bar.time * 1000).toISOString();
    const began = isDated ? iso.slice(0, 10) : `${iso.slice(0, 16).replace("T", " ")} UTC`;
    const entries = [
      entry("", began),
      entry("O", price(bar.open)),
      entry("H", price(bar.high)),
      entry("L", price(bar.low)),
      entry("C", price(bar.close)),
    ];
    const traded = /** @type {HistogramData | undefined} */ (hovered?.get(volume))?.value ?? last?.volume;
    if (typeof traded === "number") entries.push(entry("V", amount(traded)));
    else entries.push(entry("V", "unknown"));
    for (const [title, lines] of Map.groupBy(linesDrawn(), (line) => line.title)) {
      const values = lines.map(({ series, points }) => {
        const point = /** @type {LineData | undefined} */ (hovered ? hovered.get(series) : points.at(-1));
        return price(point?.value);
      });
      entries.push(
        entry(
          title,
          values.join(" "),
          lines.map(({ swatch }) => swatch),
        ),
      );
    }
    readout.replaceChildren(...entries);
  }

  function applyTheme() {
    colours = readColours(probe);
    const { ground, text, line, grid, crosshair, crosshairLabel, rise, fall } = colours;
    chart.applyOptions({
      layout: { background: { color: ground }, textColor: text },
      grid: { vertLines: { color: grid }, horzLines: { color: grid } },
      crosshair: {
        vertLine: { color: crosshair, labelBackgroundColor: crosshairLabel },
        horzLine: { color: crosshair, labelBackgroundColor: crosshairLabel },
      },
      timeScale: { borderColor: line },
    });
    candles.applyOptions({
      upColor: rise,
      downColor: fall,
      wickUpColor: rise,
      wickDownColor: fall,
      borderVisible: false,
    });
    showBars();
    for (const drawnLine of drawn.values()) {
      drawnLine.series.applyOptions({ color: colourOf(drawnLine.swatch) });
      showLine(drawnLine);
    }
  }

  // The chart applies a range with its next frame; key presses can be faster.
  /** @type {IRange<number> | null} */
  let aimed = null;
  /** @param {(from: number, to: number) => IRange<number>} change */
  function aim(change) {
    const range = aimed ?? scale.getVisibleLogicalRange();
    if (range === null) return;
    aimed = change(range.from, range.to);
    scale.setVisibleLogicalRange(aimed);
    requestAnimationFrame(() => {
      aimed = null;
    });
  }
  /**
   * The right edge stays, because the newest bars matter most.
   * @param {number} factor
   */
  const zoom = (factor) => aim((from, to) => ({ from: to - Math.max(10, (to - from) * factor), to }));
  /** @param {number} share of what is visible; below 0 to older bars */
  const move = (share) =>
    aim((from, to) => {
      const wish = share * (to - from);
      const step = Math.min(Math.max(wish, Math.min(0, -from)), Math.max(0, bars.length + 3 - to));
      return { from: from + step, to: to + step };
    });
  /** @type {Readonly<Record<string, () => void>>} */
  const keys = {
    ArrowLeft: () => move(-0.1),
    ArrowRight: () => move(0.1),
    "+": () => zoom(0.8),
    "=": () => zoom(0.8),
    "-": () => zoom(1.25),
    End: () => scale.scrollToRealTime(),
  };

  bars = barsOf(await readRows("bars", shown, loadedFrom, end));
  const size = Math.abs(bars.at(-1)?.close ?? 1);
  const precision = size >= 1 ? 2 : Math.min(8, 3 - Math.floor(Math.log10(size)));
  candles.applyOptions({ priceFormat: { type: "price", precision, minMove: 10 ** -precision } });
  applyTheme();
  await syncOverlays();

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
  chart.subscribeCrosshairMove(describe);
  loadMore = () => {
    const range = scale.getVisibleLogicalRange();
    if (range !== null && range.from < 20 && loadedFrom > first && waiting === 0) enqueue(loadOlder);
  };
  scale.subscribeVisibleLogicalRangeChange(() => loadMore());
  stage.addEventListener("keydown", (event) => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? 0.9 : 1.1);
    },
    { passive: false },
  );
  form.addEventListener("change", () => {
    writeOverlays(form);
    enqueue(syncOverlays);
  });
  root.dataset.ready = "";
});
