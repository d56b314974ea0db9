// The chart of a profile, loaded only by its page: bars, overlays, panes, other symbols and marks around what is in view.
// Without this script the page shows every number and offers tables and downloads.

import { barAt, rebased } from "./chart/bars.js";
import { colourOf, readColours } from "./chart/colours.js";
import { Plot } from "./chart/drawing/plot.js";
import { setUpGestures } from "./chart/gestures.js";
import { barsInView, leastHeight } from "./chart/layout.js";
import { Loader } from "./chart/loader.js";
import { marksAt } from "./chart/marks.js";
import { setUpControls } from "./profiles/controls.js";
import { chosenLines, writeOverlays } from "./profiles/overlays.js";
import { viewOfAddress } from "./profiles/ranges.js";
import { showValues, valuesOf, writeTime } from "./profiles/readout.js";
import { setUpTable } from "./profiles/table.js";
import { setUpToolbar } from "./profiles/toolbar.js";
import { openingView, placesOf, viewAt } from "./profiles/zoom.js";
import { find } from "./ui/dom.js";

/**
 * @import { Bars } from "./chart/bars.js"
 * @import { Line } from "./chart/drawing/paint.js"
 * @import { Scene } from "./chart/drawing/scene.js"
 * @import { Mode } from "./chart/scale.js"
 * @import { Extent, Range } from "./profiles/zoom.js"
 */

const root = /** @type {HTMLElement} */ (find("#chart"));
/** @param {string} selector */
const part = (selector) => /** @type {HTMLElement} */ (find(selector, root));
const form = /** @type {HTMLFormElement} */ (part(".overlays"));
const stage = part(".chart-stage");
const note = part(".chart-note");
const readout = part(".chart-readout");
const spoken = part("[data-spoken]");
const levelNote = part(".chart-level");
const { symbol = "", provider = "", adjust = "", interval = "" } = root.dataset;
const DAY = 86_400;

/** @type {Extent} */
const extent = {
  levels: (root.dataset.levels ?? "").split(" ").map((text) => {
    const [name = "", seconds] = text.split("=");
    return { interval: name, seconds: Number(seconds) };
  }),
  first: Number(root.dataset.first),
  end: Number(root.dataset.end),
  daySeconds: Number(root.dataset.daySeconds),
  weekDays: Number(root.dataset.weekDays),
};
const loader = new Loader({ symbol, provider, adjust, interval, extent });
const controls = setUpControls(root, symbol, () => {
  setHeight();
  void ask();
});

const probe = document.createElement("span");
probe.hidden = true;
root.append(probe);
let colours = readColours(probe);
/** @type {Mode} */
let mode = "linear";
let precision = 2;
/** The view to show with the next bars, instead of the present one. @type {Range | null} */
let wantedView = viewOfAddress(new URLSearchParams(location.search), extent) ?? openingView(extent);

const empty = new Float64Array(0);
/** @type {Bars} */
const NO_BARS = { time: empty, open: empty, high: empty, low: empty, close: empty, volume: empty };

/** @returns {Scene} */
function scene() {
  const loaded = loader.loaded;
  const bars = loaded?.bars ?? NO_BARS;
  /** @param {string} name */
  const valuesOfFeature = (name) => loaded?.features.get(name) ?? new Float64Array(bars.time.length).fill(Number.NaN);
  const events = loaded?.events;
  return {
    bars,
    overlays: chosenLines(form).flatMap(({ name, swatch, style, title }) =>
      loaded?.features.has(name)
        ? [{ name, title, values: valuesOfFeature(name), colour: colourOf(swatch), style: styleOf(style), swatch }]
        : [],
    ),
    compared: comparedLines().map(({ line }) => line),
    panes: controls.paneList.panes.map((kind) => ({
      kind,
      lines: kind.lines.map(({ name, colour, style }) => ({
        name,
        title: name,
        values: valuesOfFeature(name),
        colour: String((style === "columns" ? colours.seriesSoft : colours.series)[colour]),
        style,
      })),
    })),
    marks: (events?.marks ?? []).filter(({ style }) => controls.showsMark(style.kind)),
    bands: controls.showsMark("sessions") ? (events?.bands ?? []) : [],
    mode,
    precision,
    isDated: isDated(),
    colours,
  };
}

/** @param {string | undefined} style @returns {Line["style"]} */
const styleOf = (style) => (style === "dots" || style === "sides" ? style : "line");
const isDated = () => (loader.loaded?.level.seconds ?? DAY) >= DAY;

/** Other symbols as prices of this one, both equal at the first bar in view. */
function comparedLines() {
  const loaded = loader.loaded;
  if (loaded === null) return [];
  const { first } = barsInView(plot.places, loaded.bars.time.length);
  return controls.compared.symbols.flatMap((other, index) => {
    const found = loaded.others.get(other);
    if (found === undefined) return [];
    const { values, base } = rebased(loaded.bars.close, found.closes, first);
    /** @type {Line} */
    const line = { name: other, title: other, values, colour: String(colours.series[index]), style: "line", weight: 2 };
    return [{ line, closes: found.closes, base, fault: found.fault, provider: found.provider }];
  });
}

const plot = new Plot(part(".chart-canvas"), scene);
const setHeight = () => {
  stage.style.minHeight = `${leastHeight(controls.paneList.panes.length)}px`;
};
setHeight();

/** @param {string} text */
const showNote = (text) => {
  if (note.textContent !== text) note.textContent = text;
};

// One pass after the other; what has changed during one is done by the next.
let isRunning = false;
let isAsked = false;
async function ask() {
  isAsked = true;
  if (isRunning) return;
  isRunning = true;
  stage.setAttribute("aria-busy", "true");
  try {
    while (isAsked) {
      isAsked = false;
      await update();
    }
    showNote("");
  } catch (error) {
    // Nothing is requested again until the chart is moved.
    showNote(`The chart could not be drawn: ${/** @type {Error} */ (error).message}`);
  }
  isRunning = false;
  stage.setAttribute("aria-busy", "false");
}

/** @returns {Range} what is in view */
function currentView() {
  if (wantedView !== null) return wantedView;
  const loaded = loader.loaded;
  if (loaded === null || loaded.bars.time.length === 0) return openingView(extent);
  const { from, to } = plot.places;
  return viewAt(loaded.bars.time, { from: from + 0.5, to: to - 0.5 }, loaded.level, extent);
}

async function update() {
  const features = [...chosenLines(form), ...controls.paneList.panes.flatMap(({ lines }) => lines)].map(
    ({ name }) => name,
  );
  const wishes = { features: [...new Set(features)], others: controls.compared.symbols };
  const next = await loader.load(currentView(), wishes.features, wantedView !== null);
  if (next !== null) {
    // The reader may have moved on meanwhile, over the bars of before.
    const shown = currentView();
    wantedView = null;
    loader.use(next);
    const { bars, level, source } = next;
    if (bars.time.length > 0) {
      const { from, to } = placesOf(bars.time, shown, level, extent);
      plot.show({ from: from - 0.5, to: to + 0.5 });
    }
    const size = Math.abs(bars.close.at(-1) ?? 1);
    precision = size >= 1 ? 2 : Math.min(8, 3 - Math.floor(Math.log10(size)));
    levelNote.textContent = `${level.interval} bars${source === level.interval ? "" : `, derived from ${source}`}`;
    plot.point(null);
  }
  refresh();
  await loader.complete(wishes);
  const others = loader.loaded?.others;
  if (others) controls.compared.settle(others);
  refresh();
}

/** Draws what is loaded, and writes it. */
function refresh() {
  plot.redraw();
  describe();
  tableChanged();
}

/** @param {number} value */
const price = (value) => (Number.isFinite(value) ? value.toFixed(precision) : "–");
/** @param {number} value a share */
const percent = (value) => `${value > 0 ? "+" : ""}${(value * 100).toFixed(2)}%`.replace("-", "−");

function describe() {
  const { bars, overlays, marks, panes } = scene();
  const at = plot.cursor?.at ?? bars.time.length - 1;
  const bar = barAt(bars, at);
  if (bar === null) return;
  const values = valuesOf(bar, isDated(), price);
  const before = Number(bars.close[at - 1] ?? Number.NaN);
  if (before > 0) values.push({ title: "", text: percent(bar.close / before - 1) });
  for (const [title, group] of Map.groupBy(overlays, (line) => line.title)) {
    const text = group.map((line) => price(Number(line.values[at]))).join(" ");
    values.push({ title, text, swatches: group.flatMap(({ swatch }) => swatch ?? []) });
  }
  const notes = new Map();
  for (const { line, closes, base, fault, provider: of } of comparedLines()) {
    const change = Number(closes[at]) / base - 1;
    notes.set(line.name, fault ?? `${Number.isFinite(change) ? percent(change) : "–"}, ${of}`);
  }
  controls.compared.show(notes);
  for (const { style, text } of marksAt(marks, at)) values.push({ title: style.letter, text });
  const fault = loader.loaded?.events?.fault ?? null;
  if (fault !== null) values.push({ title: "Marks:", text: fault });
  showValues(readout, values);
  return { values, panes, at };
}

/** Tells screen readers the bar that keys have moved to. */
function speak() {
  const described = describe();
  if (described === undefined) return;
  const { values, panes, at } = described;
  const words = values.map(({ title, text }) => `${SPOKEN[title] ?? title} ${text}`.trim());
  for (const { lines } of panes) {
    for (const { name, values: own } of lines) words.push(`${name} ${price(Number(own[at]))}`);
  }
  spoken.textContent = words.join(", ");
}
/** @type {Readonly<Record<string, string>>} */
const SPOKEN = {
  O: "open",
  H: "high",
  L: "low",
  C: "close",
  V: "volume",
  S: "split",
  D: "dividend",
  R: "revision",
  G: "gap",
};

const tableChanged = setUpTable(/** @type {HTMLDetailsElement} */ (part("[data-table]")), () => {
  const { bars, overlays, panes } = scene();
  const lines = [...overlays, ...panes.flatMap((pane) => pane.lines)];
  const heads = [isDated() ? "Date" : "Time (UTC)", "Open", "High", "Low", "Close", "Volume"];
  return {
    heads: [...heads, ...lines.map(({ name }) => name)],
    rows(most) {
      const { first, last } = barsInView(plot.places, bars.time.length);
      const cells = [];
      for (let at = last; at >= Math.max(first, last - most + 1); at--) {
        const bar = barAt(bars, at);
        if (bar === null) break;
        const [, ...values] = valuesOf(bar, isDated(), price);
        const others = lines.map(({ values: own }) => price(Number(own[at])));
        cells.push([writeTime(bar.time, isDated()), ...values.map(({ text }) => text), ...others]);
      }
      return { cells, more: Math.max(0, last - first + 1 - cells.length) };
    },
  };
});

/**
 * @param {Range} view
 * @param {boolean} keepsLevel whether the level stays if it suits the view
 */
function show(view, keepsLevel) {
  wantedView = view;
  if (!keepsLevel) loader.forgetLevel();
  void ask();
}

const toolbar = part(".chart-tools");
const moved = setUpToolbar(toolbar, {
  extent,
  view: currentView,
  show,
  setScale(name) {
    mode = name === "log" || name === "percent" ? name : "linear";
    plot.redraw();
  },
});

/** @param {"first" | "last"} end */
function showEnd(end) {
  const { from, to } = currentView();
  const span = Math.min(to - from, extent.end - extent.first);
  show(
    end === "last" ? { from: extent.end - span, to: extent.end } : { from: extent.first, to: extent.first + span },
    true,
  );
  moved();
}
/** @param {string} selector */
const press = (selector) => () => find(selector, toolbar)?.click();
/** @param {string} selector */
const toggle = (selector) => () => {
  const details = /** @type {HTMLDetailsElement} */ (part(selector));
  details.open = !details.open;
};
setUpGestures(stage, plot, {
  count: () => loader.loaded?.bars.time.length ?? 0,
  moved() {
    moved();
    describe();
    tableChanged();
    void ask();
  },
  pointed: speak,
  keys: {
    Home: () => showEnd("first"),
    End: () => showEnd("last"),
    l: press("[data-scale=log]"),
    p: press("[data-scale=percent]"),
    g: () => find("input[data-date]", toolbar)?.focus(),
    c: () => part("[data-compare] input").focus(),
    i: () => part("[data-pane]").focus(),
    d: toggle("[data-table]"),
    "?": toggle("[data-keys]"),
  },
});
for (const type of ["pointermove", "pointerleave", "pointerup"]) stage.addEventListener(type, () => describe());
form.addEventListener("change", () => {
  writeOverlays(form);
  void ask();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours = readColours(probe);
  plot.redraw();
});

showNote("Loading bars…");
await ask();
root.dataset.ready = "";
