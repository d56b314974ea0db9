/** `plan_run` and `start_run`: what a run would cost, and starting it once that was confirmed. */

import { z } from "zod";
import { covers, lacksScope, neededScope } from "../../domain/access.ts";
import { Refusal } from "../../domain/errors.ts";
import { isoSecond } from "../../domain/time.ts";
import { whyNotUsable } from "../../providers/registry.ts";
import { parseRunRequest, RunRequestBody, refuseContradictions } from "../../scheduler/runs/run-request.ts";
import { planSentence, prunedSentence } from "../../views/runs/cost-preview.tsx";
import { formatEta, plural } from "../../views/ui/format.ts";
import { type CostServices, previewOf, type RunCost } from "../runs/cost-preview.tsx";
import { type Tool, tool, Unconfirmed } from "./tool.ts";

const ADVICE = "Nothing was started: show this cost to whoever pays it, and call start_run again with confirm: true";

export function runTools(services: CostServices): Tool[] {
  const { config, provider: find } = services;

  /** @throws Refusal if such a run could not be started */
  const planOf = async (body: z.infer<typeof RunRequestBody>) => {
    const request = parseRunRequest(body);
    const name = request.provider ?? config.provider;
    const provider = find(name);
    const cost = await previewOf(services, request);
    if (provider === undefined || cost === null) throw new Refusal("invalid", whyNotUsable(name));
    refuseContradictions(request, provider, find);
    return {
      summary: inWords(cost),
      provider: name,
      mode: request.mode,
      interval: request.interval,
      cost: toWire(cost),
    };
  };

  return [
    tool({
      name: "plan_run",
      title: "What a run would cost",
      description:
        "The cost of fetching history or an update before it is started: calls, quota units, bars and time. Starts nothing and asks no provider.",
      input: RunRequestBody,
      run: (body) => planOf(body),
    }),
    tool({
      name: "start_run",
      title: "Start a run",
      description:
        "Fetches bars from a provider, which spends its quota, and computes the profiles. Only with confirm: true, after its user has agreed to the cost that plan_run gives; without it the answer is that cost and nothing is started.",
      input: RunRequestBody.extend({
        confirm: z.boolean().default(false).describe("true once the cost was agreed to"),
      }),
      changes: true,
      async run({ confirm, ...body }, { actor, api }) {
        const plan = await planOf(body);
        if (!confirm) {
          const needed = neededScope("POST", "/api/runs");
          const lacks = covers(actor.scope, needed) ? "" : ` Starting it ${lacksScope(actor, needed)}.`;
          throw new Unconfirmed({ ...plan, started: false, summary: `${plan.summary} ${ADVICE}.${lacks}` });
        }
        const { run } = await api.post<{ run: { id: string } }>("/api/runs", body);
        const address = api.address(`/api/runs/${encodeURIComponent(run.id)}`);
        return { ...plan, summary: `Started. ${plan.summary} Its progress: GET ${address}`, started: true, run };
      },
    }),
  ];
}

/** `2 symbols: 4 calls, about 1,004 bars, under 10s.` */
function inWords(cost: RunCost): string {
  const { symbols, calls, units, bars, seconds, isAssumed, afterReset, known, derivable } = cost;
  const weight = units === calls ? "" : ` (${plural(units, "unit")} of the quota)`;
  const size =
    bars === null ? "only the bars that are missing, whose number is not known before" : `about ${plural(bars, "bar")}`;
  const assumed = isAssumed ? " if it answers as usual, which was not measured yet" : "";
  const time = seconds === null ? "time unknown" : `${formatEta(seconds)}${assumed}`;
  const reset = afterReset === null ? "" : `, after the quota reset at ${isoSecond(afterReset)}`;
  const left = planSentence(cost) + prunedSentence(cost);
  const stored = known === 0 ? "" : ` ${plural(known, "symbol is", "symbols are")} stored already.`;
  const free =
    derivable.symbols === 0
      ? ""
      : ` ${plural(derivable.symbols, "symbol needs", "symbols need")} no run: the bars can be read, built from stored ${derivable.sources.join(" and ")} bars.`;
  return `${plural(symbols, "symbol")}: ${plural(calls, "call")}${weight}, ${size}, ${time}${reset}.${left}${stored}${free}`;
}

const toWire = ({
  afterReset,
  known,
  knownUntil,
  derivable,
  isAssumed,
  days,
  planFrom,
  pruned,
  interval: _,
  ...cost
}: RunCost) => ({
  ...cost,
  time_is_assumed: isAssumed,
  from: days === null ? null : isoSecond(days.from),
  to: days === null ? null : isoSecond(days.to),
  plan_from: planFrom === null ? null : isoSecond(planFrom),
  pruned: pruned && { symbols: pruned.symbols, before: isoSecond(pruned.before) },
  finishes_after_reset: afterReset === null ? null : isoSecond(afterReset),
  stored_symbols: known,
  stored_until: knownUntil === null ? null : isoSecond(knownUntil),
  derivable_symbols: derivable.symbols,
  derivable_from: derivable.sources,
});
