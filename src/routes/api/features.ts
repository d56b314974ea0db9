/** `GET /api/features`: the catalogue of features. */

import { createRoute, z } from "@hono/zod-openapi";
import { FEATURES, type Feature } from "../../features/catalog.ts";
import { FAMILIES } from "../../features/define.ts";
import { CATALOG_VERSION } from "../../features/version.ts";
import { apiRouter, json } from "./parameters.ts";

const FeatureBody = z
  .object({
    number: z.int().openapi({ description: "Its place in the catalogue, from 1" }),
    name: z.string(),
    family: z.enum(FAMILIES),
    unit: z.string().openapi({ description: "Unit or range" }),
    formula: z.string(),
    source: z.string().openapi({ description: "Of the formula, or the library whose values it reproduces" }),
    warmup: z
      .union([z.int(), z.enum(["second session", "20 sessions"])])
      .openapi({ description: "Bars before the first value; two features count sessions at intraday intervals" }),
    memory: z.string().openapi({
      description:
        "Which bars a value depends on: the last `memory_bars` (`window`), all that came before (`recursive`, `cumulative`), or those of the session (`session`)",
    }),
    memory_bars: z.int().nullable(),
  })
  .openapi("Feature");

const list = createRoute({
  method: "get",
  path: "/features",
  operationId: "listFeatures",
  tags: ["Data"],
  summary: "The feature catalogue in its fixed order, with its version",
  responses: { 200: json("The catalogue", z.object({ version: z.int(), features: z.array(FeatureBody) })) },
});

export const catalogueRoutes = () =>
  apiRouter().openapi(list, (c) => c.json({ version: CATALOG_VERSION, features: FEATURES.map(featureToWire) }, 200));

function featureToWire({ number, name, family, unit, formula, source, warmup, memory }: Feature) {
  const memoryBars = memory.kind === "window" ? memory.bars : null;
  return { number, name, family, unit, formula, source, warmup, memory: memory.kind, memory_bars: memoryBars };
}
