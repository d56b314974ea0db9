// The chart of a profile, loaded only by its page: bars, volume and the chosen overlays around what is in view, read
// from /api/bars and /api/features. Without this script the page shows every number and offers downloads.

import { readColours } from "./profiles/chart-colours.js";
import { barsOf, readRows } from "./profiles/chart-data.js";
import { createLines } from "./profiles/lines.js";
import { chosenLines, writeOverlays } from "./profiles/overlays.js";
import { viewOfAddress } from "./profiles/ranges.js";
import { showValues, valuesOf } from "./profiles/readout.js";
import { setUpToolbar } from "./profiles/toolbar.js";
import { FREE_PLACES, isNearEdge, levelFor, oldest, openingView, placesOf, viewAt, windowOf } from "./profiles/zoom.js";
import { find } from "./ui/dom.js";

/**
 * @import { IRange, LineData, MouseEventParams } from "lightweight-charts"
 * @import { Bar } from "./profiles/chart-data.js"
 * @import { Extent, Level, Range } from "./profiles/zoom.js"
 */

const root = /** @type {HTMLElement} */ (find("#chart"));
/** @param {string} selector */
const part = (selector) => /** @type {HTMLElement} */ (find(selector, root));
const form = /** @type {HTMLFormElement} */ (part(".overlays"));
const stage = part(".chart-stage");
const canvas = part(".chart-canvas");
const note = part(".chart-note");
const readout = part(".chart-readout");
const levelNote = part(".chart-level");
const { symbol = "", provider = "", adjust = "", library = "" } = root.dataset;
const DAY = 86_400;

/** @type {Extent} */
const extent = {
  levels: (root.dataset.levels ?? "").split(" ").map((text) => {
    const [interval = "", seconds] = text.split("=");
    return { interval, seconds: Number(seconds) };
  }),
  first: Number(root.dataset.first),
  end: Number(root.dataset.end),
  daySeconds: Number(root.dataset.daySeconds),
  weekDays: Number(root.dataset.weekDays),
};

/** What is loaded; replaced as a whole, so that bars of different lengths are never side by side. */
let loaded = {
  level: /** @type {Level} */ (extent.levels[0]),
  range: { from: 0, to: 0 },
  bars: /** @type {Bar[]} */ ([]),
  times: /** @type {number[]} */ ([]),
};
/** @type {Range | null} The view to show with the next bars, instead of the present one. */
let wantedView = viewOfAddress(new URLSearchParams(location.search), extent) ?? openingView(extent);
/** @type {Level | null} The level that is kept if it suits the view. */
let keptLevel = null;

/** @param {string} text */
const showNote = (text) => {
  if (note.textContent !== text) note.textContent = text;
};

// One pass after the other; what has changed during one is done by the next.
let isRunning = false;
let isAsked = false;
/** @type {() => Promise<void>} */
let pass = start;
async function ask() {
  isAsked = true;
  if (isRunning) return;
  isRunning = true;
  stage.setAttribute("aria-busy", "true");
  try {
    while (isAsked) {
      isAsked = false;
      await pass();
    }
    showNote("");
  } catch (error) {
    // Nothing is requested again until the chart is moved.
    showNote(`The chart could not be drawn: ${/** @type {Error} */ (error).message}`);
  }
  isRunning = false;
  stage.setAttribute("aria-busy", "false");
}

const probe = document.createElement("span");
probe.hidden = true;
root.append(probe);
/** @type {ReturnType<typeof readColours>} */
let colours;

showNote("Loading bars…");
void ask();

async function start() {
  /** @type {typeof import("lightweight-charts")} */
  const charts = await import(library);
  const chart = charts.createChart(canvas, {
    autoSize: true,
    layout: { attributionLogo: false, fontSize: 11, fontFamily: getComputedStyle(document.body).fontFamily },
    // The page scrolls over the chart, so the wheel zooms only with Ctrl, and touch moves the chart only sideways.
    handleScale: { mouseWheel: false },
    handleScroll: { mouseWheel: true, vertTouchDrag: false },
    timeScale: { secondsVisible: false, rightOffset: FREE_PLACES, borderVisible: false, minBarSpacing: 0.2 },
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
  const lines = createLines(charts, chart);

  function showAll() {
    candles.setData(loaded.bars);
    volume.setData(
      loaded.bars.map(({ time, open, close, volume: value }) =>
        value === null ? { time } : { time, value, color: close < open ? colours.fallVolume : colours.riseVolume },
      ),
    );
    lines.show(loaded.bars, colours);
  }

  /** @returns {Range} what is in view */
  function currentView() {
    const places = aimed ?? scale.getVisibleLogicalRange();
    if (wantedView !== null) return wantedView;
    if (places === null || loaded.times.length === 0) return openingView(extent);
    return viewAt(loaded.times, places, loaded.level, extent);
  }

  /**
   * The rows around a view. A hole in the bars is crossed in steps, because the time axis has no place for it.
   * @param {Level} level
   * @param {Range} view
   */
  async function readWindow(level, view) {
    const names = chosenLines(form).map(({ name }) => name);
    const series = { symbol, provider, adjust, interval: level.interval };
    /** @param {Range} range */
    const read = async (range) => {
      const [bars, features] = await Promise.all([
        readRows("bars", series, range),
        names.length > 0 ? readRows("features", series, range, names) : { rows: [] },
      ]);
      return { bars: bars.rows, features: features.rows, source: bars.source };
    };
    const range = windowOf(view, level, extent);
    let { bars, features, source } = await read(range);
    const step = Math.max(range.to - range.from, DAY);
    while (range.from > oldest(level, extent) && !bars.some(({ ts }) => ts < view.from)) {
      const from = Math.max(oldest(level, extent), range.from - step);
      const before = await read({ from, to: range.from });
      range.from = from;
      bars = [...before.bars, ...bars];
      features = [...before.features, ...features];
    }
    while (range.to < extent.end && !bars.some(({ ts }) => ts >= view.to)) {
      const to = Math.min(extent.end, range.to + step);
      const after = await read({ from: range.to, to });
      range.to = to;
      bars = [...bars, ...after.bars];
      features = [...features, ...after.features];
    }
    return { range, bars: barsOf(bars), features, source };
  }

  /**
   * Whether a window is the loaded one: where no more bars fit into it, a view of all of them is always near its edge.
   * @param {Range} range
   */
  const isLoaded = ({ from, to }) =>
    Math.max(Math.abs(from - loaded.range.from), Math.abs(to - loaded.range.to)) <= loaded.level.seconds;

  async function update() {
    let view = currentView();
    const level = levelFor(view, extent, keptLevel);
    view = { from: Math.max(view.from, windowOf(view, level, extent).from), to: view.to };
    const wanted = chosenLines(form);
    lines.keep(wanted);
    const isOther = level !== loaded.level || loaded.times.length === 0 || wantedView !== null;
    if (isOther || (isNearEdge(view, loaded.range, level, extent) && !isLoaded(windowOf(view, level, extent)))) {
      const { range, bars, features, source } = await readWindow(level, view);
      // The reader may have moved on meanwhile.
      const shown = currentView();
      wantedView = null;
      aimed = null;
      keptLevel = level;
      loaded = { level, range, bars, times: bars.map(({ time }) => time) };
      lines.set(wanted, features);
      chart.applyOptions({ timeScale: { timeVisible: level.seconds < DAY } });
      showAll();
      if (bars.length > 0) scale.setVisibleLogicalRange(placesOf(loaded.times, shown, level, extent));
      const built = source === level.interval ? "" : `, derived from ${source}`;
      levelNote.textContent = `${level.interval} bars${built}`;
    } else {
      const missing = wanted.filter(({ name }) => !lines.has(name));
      if (missing.length > 0) {
        const series = { symbol, provider, adjust, interval: level.interval };
        const names = missing.map(({ name }) => name);
        lines.set(missing, (await readRows("features", series, loaded.range, names)).rows);
        lines.show(loaded.bars, colours);
      }
    }
    describe();
  }

  /** @param {number | undefined} value */
  const price = (value) => value?.toFixed(precision) ?? "–";
  /** @param {MouseEventParams} [param] */
  function describe(param) {
    const hovered = param?.seriesData?.has(candles) ? param.seriesData : null;
    const at = hovered === null ? undefined : param?.time;
    const bar = (at === undefined ? undefined : loaded.bars.find(({ time }) => time === at)) ?? loaded.bars.at(-1);
    if (bar === undefined) return;
    const values = valuesOf(bar, loaded.level.seconds >= DAY, price);
    // In the order of the check boxes, not in the order of drawing.
    const drawn = chosenLines(form).flatMap(({ name }) => lines.get(name) ?? []);
    for (const [title, group] of Map.groupBy(drawn, (line) => line.title)) {
      const shown = group.map(({ series, points }) => {
        const point = /** @type {LineData | undefined} */ (hovered ? hovered.get(series) : points.at(-1));
        return price(point?.value);
      });
      values.push({ title, text: shown.join(" "), swatches: group.map(({ swatch }) => swatch) });
    }
    showValues(readout, values);
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
    showAll();
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
      const step = Math.min(Math.max(wish, Math.min(0, -from)), Math.max(0, loaded.bars.length + FREE_PLACES - to));
      return { from: from + step, to: to + step };
    });
  /**
   * @param {Range} view
   * @param {boolean} keepsLevel whether the level stays if it suits the view
   */
  function show(view, keepsLevel) {
    wantedView = view;
    if (!keepsLevel) keptLevel = null;
    void ask();
  }
  function showLast() {
    const { from, to } = currentView();
    show({ from: Math.max(extent.first, extent.end - (to - from)), to: extent.end }, true);
  }
  /** @type {Readonly<Record<string, () => void>>} */
  const keys = {
    ArrowLeft: () => move(-0.1),
    ArrowRight: () => move(0.1),
    "+": () => zoom(0.8),
    "=": () => zoom(0.8),
    "-": () => zoom(1.25),
    End: showLast,
  };

  let precision = 2;
  applyTheme();
  await update();
  const size = Math.abs(loaded.bars.at(-1)?.close ?? 1);
  precision = size >= 1 ? 2 : Math.min(8, 3 - Math.floor(Math.log10(size)));
  candles.applyOptions({ priceFormat: { type: "price", precision, minMove: 10 ** -precision } });
  describe();
  pass = update;

  const modes = { log: charts.PriceScaleMode.Logarithmic, percent: charts.PriceScaleMode.Percentage };
  const moved = setUpToolbar(part(".chart-tools"), {
    extent,
    view: currentView,
    show,
    setScale: (name) =>
      candles.priceScale().applyOptions({
        mode: name === "log" || name === "percent" ? modes[name] : charts.PriceScaleMode.Normal,
      }),
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
  chart.subscribeCrosshairMove(describe);
  scale.subscribeVisibleLogicalRangeChange(() => void ask());
  stage.addEventListener("keydown", (event) => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
    moved();
  });
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? 0.9 : 1.1);
      moved();
    },
    { passive: false },
  );
  canvas.addEventListener("pointerdown", () => {
    const before = scale.getVisibleLogicalRange()?.from;
    const released = () => {
      if (scale.getVisibleLogicalRange()?.from !== before) moved();
    };
    addEventListener("pointerup", released, { once: true });
  });
  form.addEventListener("change", () => {
    writeOverlays(form);
    void ask();
  });
  root.dataset.ready = "";
}
