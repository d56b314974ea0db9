/** @jsxImportSource hono/jsx */
/** Fetching again: for selected jobs after a confirmation with the cost of each choice, or for one cell of a job. */

import { type Context, Hono } from "hono";
import { Refusal } from "../../domain/errors.ts";
import { REFETCH_CHOICES, type RefetchChoice } from "../../domain/runs/refetch.ts";
import { planRefetch, type RefetchPlan, type RefetchRequest, refetch, sizeOf } from "../../scheduler/runs/refetch.ts";
import { liveDialog, liveToast } from "../../views/live.tsx";
import { plural } from "../../views/ui/format.ts";
import { requireKnownFields } from "../form-errors.ts";
import { localPath, previousPath, wantsFragment } from "../page-context.ts";
import type { Services } from "../services.ts";
import { answer } from "./bulk-actions.tsx";
import { refetchDialog } from "./refetch-confirmation.ts";
import { type JobSelection, pickSelected, SELECTION_FIELDS } from "./selection.ts";

/** The field with the size that a choice had when it was shown. */
const sizeField = (choice: RefetchChoice) => `size-${choice}`;

type Body = Readonly<Record<string, unknown>>;

/** What the dialog asks about, and the form that opened it. */
interface Question {
  readonly selection: JobSelection;
  readonly request: RefetchRequest;
  readonly plan: RefetchPlan;
  readonly body: Body;
  /** Whether the size has changed since the reader confirmed it. */
  readonly changed?: boolean;
}

export function refetchRoutes(services: Pick<Services, "db" | "provider" | "runs">) {
  const routes = new Hono();

  /** Asks for the choice first, with the cost of each; starts when `scope` and its expected size are sent. */
  routes.post("/runs/:id/selected/refetch", async (c) => {
    const body: Body = await c.req.parseBody({ all: true });
    requireKnownFields(body, [...SELECTION_FIELDS, "scope", ...REFETCH_CHOICES.map(sizeField)]);
    const selection = pickSelected(c, body);
    const request = { runId: c.req.param("id"), picks: selection.picks };
    const scope = REFETCH_CHOICES.find((each) => each === body.scope);
    if (scope === undefined) return ask(c, { selection, request, plan: await planRefetch(services, request), body });
    const expected = body[sizeField(scope)];
    const result = await refetch(services, {
      ...request,
      scope,
      expected: typeof expected === "string" ? expected : "",
    });
    if (!result.done) return ask(c, { selection, request, plan: result.plan, body, changed: true });
    return flash(c, body, liveDialog(null), result.plan[scope]!);
  });

  /** The same dialog for one symbol. */
  routes.post("/runs/:id/jobs/:symbol/refetch", async (c) => {
    const symbol = c.req.param("symbol");
    const selection = pickSelected(c, { symbol });
    const request = { runId: c.req.param("id"), picks: selection.picks };
    return ask(c, { selection, request, plan: await planRefetch(services, request), body: {} });
  });

  /** Fetches the batches of one cell, `from` to `to` (epoch seconds), and those without an answer. */
  routes.post("/runs/:id/jobs/:symbol/batches", async (c) => {
    const body: Body = await c.req.parseBody();
    requireKnownFields(body, ["from", "to", "back"]);
    const [from, to] = [Number(body.from), Number(body.to)];
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from >= to) {
      throw new Refusal("invalid", "A cell wants two moments in epoch seconds, the first before the second");
    }
    const { picks } = pickSelected(c, { symbol: c.req.param("symbol") });
    const request = { runId: c.req.param("id"), picks, within: { from, to }, scope: "all" as const };
    const { plan } = await refetch(services, request);
    return flash(c, body, "", plan.all!);
  });

  function ask(c: Context, { selection, request: { runId }, plan, body, changed = false }: Question) {
    const back = typeof body.back === "string" ? localPath(body.back) : previousPath(c);
    const sizes = REFETCH_CHOICES.flatMap((scope) => {
      const each = plan[scope];
      return each ? [[sizeField(scope), sizeOf(each)] as const] : [];
    });
    const dialog = refetchDialog(plan, changed);
    const action = `/runs/${encodeURIComponent(runId)}/selected/refetch${selection.search}`;
    return answer(c, { ...dialog, action, fields: [...selection.fields, ...sizes], back });
  }

  return routes;
}

function flash(c: Context, body: Body, before: string, plan: NonNullable<RefetchPlan["all"]>) {
  if (!wantsFragment(c)) return c.redirect(typeof body.back === "string" ? localPath(body.back) : previousPath(c), 303);
  const batches = plan.batches === 0 ? "from the stored bars" : `${plural(plan.batches, "batch", "batches")} to fetch`;
  return c.html(before + liveToast("info", `${plural(plan.symbols.length, "symbol")} back in the queue: ${batches}.`));
}
