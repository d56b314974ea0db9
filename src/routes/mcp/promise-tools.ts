/** `promises`: whether the data that somebody counts on is up to date, and will be at its next deadline. */

import type { ForecastState } from "../../domain/promises/promise.ts";
import { strictObject, wholeNumber } from "../../schemas.ts";
import { plural } from "../../views/ui/format.ts";
import { type Tool, tool } from "./tool.ts";

const MAX_RESULTS = 100;

/** What the tool reads of a promise of the API; all of it is handed on. */
interface WirePromise {
  readonly id: number;
  readonly name: string;
  readonly status: { readonly forecast: ForecastState } | null;
}

export const promiseTools = (): Tool[] => [
  tool({
    name: "promises",
    title: "Which data is up to date",
    description:
      "The promises: which symbols shall be up to date by a time of the day, how many are, the forecast of the next deadline with its reasons, and what came of the last ones.",
    input: strictObject({
      results: wholeNumber(0, MAX_RESULTS).default(5).describe("past deadlines that are given of each, the newest"),
    }),
    async run({ results }, { api }) {
      const { promises } = await api.get<{ promises: readonly WirePromise[] }>("/api/promises");
      const withResults = [];
      for (const promise of promises) {
        const path = `/api/promises/${promise.id}/results?limit=${Math.max(1, results)}`;
        const past = results === 0 ? [] : (await api.get<{ results: readonly unknown[] }>(path)).results;
        withResults.push({ ...promise, results: past });
      }
      const endangered = promises.filter(
        ({ status }) => status?.forecast === "at_risk" || status?.forecast === "will_be_missed",
      );
      const names = endangered.map(({ name }) => name).join(", ");
      const risk = endangered.length === 0 ? "none is in danger" : `in danger: ${names}`;
      return { summary: `${plural(promises.length, "promise")}, ${risk}.`, promises: withResults };
    },
  }),
];
