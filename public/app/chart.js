// The chart of a profile: bars, volume and the chosen overlays, read from /api/bars and /api/features in pieces.
// Without this file the page still shows every number and offers them as files.

const root = document.getElementById("chart");
const { symbol, interval, adjust, library } = root.dataset;
const find = (selector) => root.querySelector(selector);
const [form, stage, canvas, note, readout] = [
  ".overlays",
  ".chart-stage",
  ".chart-canvas",
  ".chart-note",
  ".chart-readout",
].map(find);

// What is loaded: the bars from `loadedFrom` on, and for each drawn line its points.
const first = Number(root.dataset.first);
const end = Number(root.dataset.to);
let loadedFrom = Number(root.dataset.from);
const piece = Math.max(end - loadedFrom, 86_400);
let bars = [];
const drawn = new Map();

async function rowsOf(content, from, to, names) {
  const query = new URLSearchParams({ interval, adjust, from, to, ...(names && { names: names.join(",") }) });
  const response = await fetch(`/api/${content}/${encodeURIComponent(symbol)}?${query}`);
  if (response.ok) return (await response.json()).rows;
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail ?? `the server answered ${response.status}`);
}

// Asks for older bars when the chart nears the oldest one loaded; replaced once there is a chart.
let loadMore = () => {};

// One task after the other, so that what is loaded is always one unbroken stretch.
let queue = Promise.resolve();
let waiting = 0;
function enqueue(task) {
  waiting += 1;
  stage.setAttribute("aria-busy", "true");
  queue = queue.then(task).then(
    () => settle(""),
    (error) => settle(`The chart could not be drawn: ${error.message}`),
  );
}
function settle(fault) {
  say(fault);
  waiting -= 1;
  // After a fault nothing is asked for again until somebody moves the chart.
  if (waiting === 0 && fault === "") loadMore();
  if (waiting === 0) stage.setAttribute("aria-busy", "false");
}
const say = (text) => {
  if (note.textContent !== text) note.textContent = text;
};

// Colours are those of the style sheet, as the theme has them now.
const probe = document.createElement("span");
probe.hidden = true;
root.append(probe);
function token(name, opacity = 1) {
  probe.style.color = `var(${name})`;
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g);
  return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
}
const colourOf = (swatch) => getComputedStyle(swatch).color;

let palette;
function readPalette() {
  palette = { rise: token("--rise"), fall: token("--fall") };
  palette.riseVolume = token("--rise", 0.35);
  palette.fallVolume = token("--fall", 0.35);
}

const chosen = () => [...form.elements.overlay].filter((box) => box.checked);
const linesOf = (box) =>
  [...box.parentElement.querySelectorAll("[data-line]")].map((swatch) => ({
    name: swatch.dataset.line,
    swatch,
    style: box.dataset.style,
    title: box.parentElement.textContent.trim(),
  }));

say("Loading bars…");
enqueue(async () => {
  const charts = await import(library);
  const chart = charts.createChart(canvas, {
    autoSize: true,
    layout: { attributionLogo: false, fontSize: 11, fontFamily: getComputedStyle(document.body).fontFamily },
    // The page scrolls over the chart: the wheel zooms with Ctrl only, and a finger moves it sideways only.
    handleScale: { mouseWheel: false },
    handleScroll: { mouseWheel: true, vertTouchDrag: false },
    timeScale: { timeVisible: interval !== "1d", secondsVisible: false, rightOffset: 3, borderVisible: false },
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
      bars.map(({ time, open, close, volume: value }) => ({
        time,
        value,
        color: close < open ? palette.fallVolume : palette.riseVolume,
      })),
    );
  }

  // A line under the price supports a rise. Where it changes sides it jumps: the stretch that a point begins takes the
  // point's colour, so that of the last one before a jump is left out.
  function sided(points) {
    const closes = new Map(bars.map(({ time, close }) => [time, close]));
    const colours = points.map(({ time, value }) => (value < closes.get(time) ? palette.rise : palette.fall));
    return points.map((point, index) => {
      if (point.value === undefined) return point;
      const jumps = colours[index + 1] !== undefined && colours[index + 1] !== colours[index];
      return { ...point, color: jumps ? "transparent" : colours[index] };
    });
  }
  const showLine = ({ series, points, style }) => series.setData(style === "sides" ? sided(points) : points);

  function addLine(line, points) {
    const dots = line.style === "dots";
    const series = chart.addSeries(charts.LineSeries, {
      color: colourOf(line.swatch),
      lineWidth: 1.5,
      lineVisible: !dots,
      pointMarkersVisible: dots,
      pointMarkersRadius: 1.5,
      priceLineVisible: false,
      lastValueVisible: false,
      crosshairMarkerVisible: false,
    });
    drawn.set(line.name, { ...line, series, points });
    showLine(drawn.get(line.name));
  }

  const barsOf = (rows) => rows.map(({ ts, ...prices }) => ({ time: ts, ...prices }));
  const pointsOf = (rows, name) =>
    rows.map((row) => (row[name] === null ? { time: row.ts } : { time: row.ts, value: row[name] }));

  async function syncOverlays() {
    const wanted = chosen().flatMap(linesOf);
    for (const [name, { series }] of drawn) {
      if (wanted.some((line) => line.name === name)) continue;
      chart.removeSeries(series);
      drawn.delete(name);
    }
    const missing = wanted.filter(({ name }) => !drawn.has(name));
    if (missing.length > 0) {
      const names = missing.map(({ name }) => name);
      const rows = await rowsOf("features", loadedFrom, end, names);
      for (const line of missing) addLine(line, pointsOf(rows, line.name));
    }
    describe();
  }

  async function loadOlder() {
    const to = loadedFrom;
    const names = [...drawn.keys()];
    let from = to;
    let older = [];
    while (older.length === 0 && from > first) {
      from = Math.max(first, from - piece);
      older = await rowsOf("bars", from, to);
    }
    const features = names.length > 0 && older.length > 0 ? await rowsOf("features", from, to, names) : [];
    loadedFrom = from;
    bars = [...barsOf(older), ...bars];
    showBars();
    for (const line of drawn.values()) {
      line.points = [...pointsOf(features, line.name), ...line.points];
      showLine(line);
    }
  }

  // What stands under the crosshair, in words; else the last bar.
  const amount = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 2 });
  const price = (value) => value?.toFixed(precision) ?? "–";
  function entry(label, text, swatches = []) {
    const span = document.createElement("span");
    const name = document.createElement("em");
    name.textContent = label;
    span.append(...swatches.map((swatch) => swatch.cloneNode()), name, ` ${text}`);
    return span;
  }
  // In the order of the check boxes, whichever was drawn first.
  const linesDrawn = () =>
    chosen()
      .flatMap(linesOf)
      .flatMap(({ name }) => drawn.get(name) ?? []);
  function describe(param) {
    const hovered = param?.seriesData?.has(candles) ? param.seriesData : null;
    const bar = hovered?.get(candles) ?? bars.at(-1);
    if (bar === undefined) return;
    const iso = new Date(bar.time * 1000).toISOString();
    const began = interval === "1d" ? iso.slice(0, 10) : `${iso.slice(0, 16).replace("T", " ")} UTC`;
    const entries = [entry("", began)];
    for (const name of ["open", "high", "low", "close"]) {
      entries.push(entry(name.charAt(0).toUpperCase(), price(bar[name])));
    }
    entries.push(entry("V", amount(hovered?.get(volume)?.value ?? bars.at(-1).volume)));
    for (const [title, lines] of Map.groupBy(linesDrawn(), (line) => line.title)) {
      const values = lines.map(({ series, points }) => price((hovered ? hovered.get(series) : points.at(-1))?.value));
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
    readPalette();
    const [ground, text, line, strong] = ["--panel", "--muted", "--line", "--line-strong"].map((name) => token(name));
    chart.applyOptions({
      layout: { background: { color: ground }, textColor: text },
      grid: { vertLines: { color: token("--line", 0.5) }, horzLines: { color: token("--line", 0.5) } },
      crosshair: {
        vertLine: { color: strong, labelBackgroundColor: token("--accent-fill") },
        horzLine: { color: strong, labelBackgroundColor: token("--accent-fill") },
      },
      timeScale: { borderColor: line },
    });
    const { rise, fall } = palette;
    const colours = { upColor: rise, downColor: fall, wickUpColor: rise, wickDownColor: fall };
    candles.applyOptions({ ...colours, borderVisible: false });
    showBars();
    for (const drawnLine of drawn.values()) {
      drawnLine.series.applyOptions({ color: colourOf(drawnLine.swatch) });
      showLine(drawnLine);
    }
  }

  // A range that was set counts from the next frame on; keys can come faster.
  let aimed = null;
  function aim(change) {
    const { from, to } = aimed ?? scale.getVisibleLogicalRange();
    aimed = change(from, to);
    scale.setVisibleLogicalRange(aimed);
    requestAnimationFrame(() => {
      aimed = null;
    });
  }
  // The right edge stays, as the newest bars are what one looks at.
  const zoom = (factor) => aim((from, to) => ({ from: to - Math.max(10, (to - from) * factor), to }));
  const move = (share) =>
    aim((from, to) => {
      const wish = share * (to - from);
      const step = Math.min(Math.max(wish, Math.min(0, -from)), Math.max(0, bars.length + 3 - to));
      return { from: from + step, to: to + step };
    });
  const keys = {
    ArrowLeft: () => move(-0.1),
    ArrowRight: () => move(0.1),
    "+": () => zoom(0.8),
    "=": () => zoom(0.8),
    "-": () => zoom(1.25),
    End: () => scale.scrollToRealTime(),
  };

  bars = barsOf(await rowsOf("bars", loadedFrom, end));
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
    remember();
    enqueue(syncOverlays);
  });
  root.dataset.ready = "";
});

// The choice is part of the page's address, and goes along to the other intervals and through a change of theme.
function remember() {
  const keep = (address) => {
    const url = new URL(address, location.href);
    url.searchParams.delete("overlay");
    for (const { value } of chosen()) url.searchParams.append("overlay", value);
    return url.pathname + url.search;
  };
  const here = keep(location.href);
  history.replaceState(history.state, "", here + location.hash);
  for (const link of document.querySelectorAll(".page-head .tabs a")) link.href = keep(link.href);
  for (const back of document.querySelectorAll('.themes [name="back"]')) back.value = here;
}
