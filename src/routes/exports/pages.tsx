/** @jsxImportSource hono/jsx */
/** `/panel`: builds the request for a panel, shows the size of its result, and offers it for download. */

import { type Context, Hono } from "hono";
import { RUN_DEFAULTS } from "../../domain/defaults.ts";
import { Refusal } from "../../domain/errors.ts";
import { ADJUSTMENTS } from "../../domain/market/corporate-actions.ts";
import { READ_INTERVALS } from "../../domain/market/interval.ts";
import { FEATURES } from "../../features/catalog.ts";
import { EXPORT_FORMATS, TABLE_SORTS } from "../../pipeline/exports/formats.ts";
import { LABEL_KINDS, labelNamed } from "../../pipeline/exports/series/labels.ts";
import { columnNames } from "../../pipeline/exports/series/read-rows.ts";
import { DTYPES } from "../../pipeline/exports/table-block.ts";
import { fieldErrors } from "../../schemas.ts";
import { readWatchlists } from "../../storage/companies/watchlists.ts";
import { PANEL_FIELDS, type PanelField, PanelPage, type PanelView } from "../../views/exports/panel.tsx";
import { copyAs } from "../../views/ui/copy-as.tsx";
import { familyTitle } from "../../views/ui/format.ts";
import { compressed } from "../compression.ts";
import { errorSentences } from "../form-errors.ts";
import { serverAddress } from "../http/server-address.ts";
import type { Services } from "../services.ts";
import { PanelRequests } from "./panel-request.ts";
import { listOf, panelQuery } from "./parameters.ts";
import { sizeOfTable } from "./table-size.ts";

/** Longest text of a field. */
const MAX_TEXT = 8_000;

const DEFAULTS: Readonly<Partial<Record<PanelField, string>>> = {
  interval: RUN_DEFAULTS.interval,
  names: "chosen",
  sort: "symbol",
  format: "parquet",
  dtype: "float64",
  adjust: "splits",
};

/** Labels that are offered; any other can be typed. */
const OFFERED_LABELS = ["fwd_ret_1", "fwd_ret_5", "fwd_ret_20", "fwd_logret_5", "fwd_vol_20", "tb_20_20_20"];

const FORMAT_TITLES = { parquet: "Parquet", arrow: "Arrow", csv: "CSV", json: "JSON", ndjson: "NDJSON" } as const;

const OPTIONS: PanelView["options"] = {
  interval: READ_INTERVALS.map((each) => [each, each] as const),
  sort: TABLE_SORTS.map((each) => [each, each === "symbol" ? "Symbol, then time" : "Time, then symbol"] as const),
  format: EXPORT_FORMATS.map((each) => [each, FORMAT_TITLES[each]] as const),
  dtype: DTYPES.map((each) => [each, each === "float64" ? "float64 (exact)" : "float32 (half the size)"] as const),
  adjust: ADJUSTMENTS.map(
    (each) => [each, { none: "Nothing", splits: "Splits", all: "Splits, dividends" }[each]] as const,
  ),
};

export function panelPages(services: Pick<Services, "calendar" | "config" | "db" | "derived" | "profiles">) {
  const { db, config } = services;
  const panels = new PanelRequests(services);
  const pages = new Hono();
  pages.use("/panel", compressed);
  pages.get("/panel", async (c) => {
    const form = formOf(c);
    const watchlists = (await readWatchlists(db)).map(({ name }) => name);
    const shown = { ...form, watchlists, families: FAMILIES, labels: LABELS, options: OPTIONS };
    const show = (view: Pick<PanelView, "errors" | "preview">, status: 200 | 404 | 422 = 200) =>
      c.html(<PanelPage page={c.var.page} view={{ ...shown, ...view }} />, status);
    if (new URL(c.req.url).search === "") return show({ errors: {}, preview: null });

    const parameters = parametersOf(form);
    const query = panelQuery.safeParse(Object.fromEntries(parameters));
    if (!query.success) {
      const refusal = new Refusal("invalid", "The panel cannot be built", fieldErrors(query.error));
      return show({ errors: errorSentences(refusal, PANEL_FIELDS), preview: null }, 422);
    }
    try {
      const { request, rows, missing } = await panels.read(query.data);
      const columns = columnNames(request).length;
      const address = `/api/panel?${parameters}`;
      const preview = {
        symbols: request.series.length,
        missing,
        knownSince: request.metadata["barkeep.known_since"] ?? "",
        rows,
        columns: columns + 2,
        bytes: sizeOfTable(request, rows, columns),
        address,
        parameters: [...parameters],
        commands: copyAs({
          server: serverAddress(config, c),
          path: "/api/panel",
          query: parameters,
          hasLogin: c.get("guarded"),
          file: `panel-${request.interval}`,
        }),
      };
      return show({ errors: {}, preview });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return show({ errors: errorSentences(error, PANEL_FIELDS), preview: null }, error.status === 404 ? 404 : 422);
    }
  });
  return pages;
}

type Form = Pick<PanelView, "values" | "hasBars" | "features" | "chosenLabels">;

function formOf(c: Context): Form {
  const text = (name: PanelField) => (c.req.query(name) ?? DEFAULTS[name] ?? "").trim().slice(0, MAX_TEXT);
  const isNew = new URL(c.req.url).search === "";
  return {
    values: Object.fromEntries(PANEL_FIELDS.map((name) => [name, text(name)])) as Record<PanelField, string>,
    hasBars: isNew || c.req.query("include") !== undefined,
    features: new Set(c.req.queries("feature") ?? []),
    chosenLabels: new Set(c.req.queries("label") ?? []),
  };
}

/** The parameters of the API that the form means: what is empty or the default of the API is left out. */
function parametersOf({ values, hasBars, features, chosenLabels }: Form): URLSearchParams {
  const parameters = new URLSearchParams();
  const set = (name: string, value: string) => {
    if (value !== "") parameters.set(name, value);
  };
  for (const name of ["symbols", "watchlist", "where", "interval", "from", "to"] as const) set(name, values[name]);
  const chosen = [...features, ...listOf(values.more)];
  if (values.names !== "chosen") set("names", namesOf(values.names, values.more));
  else set("names", chosen.length === 0 ? "none" : chosen.join(","));
  if (hasBars) set("include", "ohlcv");
  set("labels", [...chosenLabels, values.labels].filter((each) => each !== "").join(","));
  for (const name of ["sort", "format", "dtype", "adjust", "as_known_at"] as const) set(name, values[name]);
  return parameters;
}

/** All or none, with those of longer bars after them. */
function namesOf(names: string, more: string): string {
  if (more === "") return names;
  return names === "all" ? [...FEATURES.map(({ name }) => name), more].join(",") : more;
}

const FAMILIES = [...Map.groupBy(FEATURES, ({ family }) => family)].map(([family, features]) => ({
  title: familyTitle(family),
  names: features.map(({ name }) => name),
}));

const LABELS = OFFERED_LABELS.filter((name) => labelNamed(name) !== null).map((name) => {
  const kind = LABEL_KINDS.find(({ form }) => name.startsWith(form.slice(0, form.indexOf("{"))));
  return { name, formula: kind?.formula ?? "" };
});
