/** @jsxImportSource hono/jsx */
/** `/profiles/:symbol/analysis` and `/profiles/:symbol/features/:name`: pages, and parts of the profile's page. */

import { Hono } from "hono";
import { quote, Refusal } from "../../../domain/errors.ts";
import { DAY } from "../../../domain/market/interval.ts";
import { FEATURES } from "../../../features/catalog.ts";
import {
  ANALYSIS_RANGES,
  AnalysisPage,
  type AnalysisRange,
  AnalysisSection,
} from "../../../views/profiles/analysis/analysis-page.tsx";
import { FeaturePage, FeatureReport } from "../../../views/profiles/analysis/feature-page.tsx";
import { compressed } from "../../compression.ts";
import { chosen } from "../../http/page-query.ts";
import { wantsFragment } from "../../page-context.ts";
import type { Services } from "../../services.ts";
import { sourceOf } from "./source.ts";

const RANGES = ANALYSIS_RANGES.map(([range]) => range);

export function analysisPages({ db, reports }: Pick<Services, "db" | "reports">) {
  const pages = new Hono();
  pages.use("/profiles/:symbol/analysis", compressed);
  pages.use("/profiles/:symbol/features/:name", compressed);

  pages.get("/profiles/:symbol/analysis", async (c) => {
    const { interval, profile } = await sourceOf(db, c);
    const range: AnalysisRange = chosen(c, "range", RANGES) ?? "all";
    const days = ANALYSIS_RANGES.find(([each]) => each === range)![2];
    const from = days === Number.POSITIVE_INFINITY ? Number.MIN_SAFE_INTEGER : profile.lastBar - days * DAY;
    const report = await reports.series(profile, interval, { from, to: Number.MAX_SAFE_INTEGER });
    const view = { symbol: profile.symbol, interval, provider: profile.provider, range, report };
    // The same address is a page and a fragment: caches must keep them apart.
    c.header("Vary", "HX-Request");
    return c.html(wantsFragment(c) ? <AnalysisSection view={view} /> : <AnalysisPage page={c.var.page} view={view} />);
  });

  pages.get("/profiles/:symbol/features/:name", async (c) => {
    const { interval, profile } = await sourceOf(db, c);
    const name = c.req.param("name");
    const at = FEATURES.findIndex((feature) => feature.name === name);
    const feature = FEATURES[at];
    if (feature === undefined) throw new Refusal("not_found", `${quote(name.slice(0, 40))} is not a feature`);
    const report = await reports.features(profile, interval);
    if (report === null) throw new Refusal("not_found", `There are no ${interval} bars of ${profile.symbol}`);
    const { features, ...time } = report;
    const { symbol, provider } = profile;
    const { unit, formula } = feature;
    const view = { symbol, provider, interval, name, unit, formula, ...time, ...features[at]! };
    c.header("Vary", "HX-Request");
    return c.html(wantsFragment(c) ? <FeatureReport view={view} /> : <FeaturePage page={c.var.page} view={view} />);
  });

  return pages;
}
