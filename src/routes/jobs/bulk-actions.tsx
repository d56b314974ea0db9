/** @jsxImportSource hono/jsx */
/**
 * Actions on many jobs of a run: all that match a filter, or the selected ones. Actions that end jobs are confirmed
 * first; the confirmation carries the number that was shown, and the server acts only if it is still that number.
 */

import { type Context, Hono } from "hono";
import { Refusal } from "../../domain/errors.ts";
import { runTitle } from "../../domain/runs/run-title.ts";
import { canApply, JOB_ACTIONS, type JobAction } from "../../domain/runs/states.ts";
import { liveDialog, liveToast, liveUndo } from "../../views/live.tsx";
import { ConfirmPage, type ConfirmView } from "../../views/ui/confirm-dialog.tsx";
import { plural } from "../../views/ui/format.ts";
import { requireKnownFields } from "../form-errors.ts";
import { localPath, previousPath, wantsFragment } from "../page-context.ts";
import type { Services } from "../services.ts";
import { type JobSelection, pickMatching, pickSelected, SELECTION_FIELDS } from "./selection.ts";
import { UndoStore } from "./undo.ts";

const DONE: Readonly<Record<JobAction, string>> = {
  pause: "paused",
  resume: "resumed",
  cancel: "cancelled",
  skip: "skipped",
  retry: "put back in the queue",
};

/** Actions that end jobs. */
const ENDING: readonly JobAction[] = ["cancel", "skip"];

export function bulkRoutes({ runs }: Pick<Services, "runs">) {
  const undo = new UndoStore();
  const routes = new Hono();

  routes.post("/runs/:id/matching/:action", async (c) => act(c, pickMatching(c), await c.req.parseBody()));

  routes.post("/runs/:id/selected/:action", async (c) => {
    const body = await c.req.parseBody({ all: true });
    return act(c, pickSelected(c, body), body);
  });

  routes.post("/undo/:token", async (c) => {
    const entry = undo.take(c.req.param("token"));
    if (entry === undefined) throw new Refusal("conflict", "It is too late to undo that; use Retry instead");
    await runs.actOnJobs(entry.runId, "retry", ({ symbol }) => entry.symbols.has(symbol));
    return wantsFragment(c)
      ? c.html(liveToast("info", `${plural(entry.symbols.size, "symbol")} ${DONE.retry}.`))
      : c.redirect(previousPath(c), 303);
  });

  async function act(c: Context, selection: JobSelection, sent: Readonly<Record<string, unknown>>) {
    requireKnownFields(sent, SELECTION_FIELDS);
    const { expect, back } = sent;
    const runId = c.req.param("id") ?? "";
    const action = JOB_ACTIONS.find((each) => each === c.req.param("action"));
    if (action === undefined) throw new Refusal("not_found", "There is no such action");
    const page = typeof back === "string" ? localPath(back) : previousPath(c);
    const ask = async (was?: number) => {
      const { pathname } = new URL(c.req.url);
      const dialog = await dialogOf(runId, action, selection, was);
      return answer(c, {
        ...dialog,
        action: pathname + selection.search,
        fields: selection.fields,
        back: page,
      });
    };

    const expected = typeof expect === "string" ? Number(expect) : undefined;
    if (ENDING.includes(action) && expected === undefined) return ask();
    const done = await runs.actOnJobs(runId, action, selection.picks, expected);
    if ("instead" in done) return ask(expected);
    if (!wantsFragment(c)) return c.redirect(page, 303);
    const text = `${plural(done.symbols.length, "symbol")} ${DONE[action]}.`;
    if (!ENDING.includes(action)) return c.html(liveToast("info", text));
    return c.html(liveDialog(null) + liveUndo(text, `/undo/${undo.add(runId, done.symbols)}`));
  }

  async function dialogOf(runId: string, action: JobAction, { title, picks }: JobSelection, was?: number) {
    const { run, jobs } = await runs.read(runId);
    const selection = jobs.filter((job) => canApply(action, job.state) && picks(job));
    if (selection.length === 0) throw new Refusal("conflict", `Nothing that matches can ${action} any more`);
    const working = selection.filter(({ state }) => state === "running").length;
    const waiting = selection.length - working;
    const verb = action === "cancel" ? "Cancel" : "Skip";
    const symbols = plural(selection.length, "symbol");
    return {
      title: `${verb} ${symbols}?`,
      facts: [
        `${runTitle(run)}${title === "" ? "" : `, ${title}`}`,
        ...(was === undefined || was === selection.length ? [] : [`It was ${was} when you were asked.`]),
        ...(working > 0
          ? [`Working: ${working}. They stop after the batch they are at; what they fetched stays.`]
          : []),
        ...(waiting > 0 ? [`Not working yet: ${waiting}. They will not start.`] : []),
      ],
      expect: selection.length,
      yes: `${verb} ${symbols}`,
      no: "Keep running",
    };
  }

  return routes;
}

/** Asks for confirmation: in a dialog, or on a page without JavaScript. */
export function answer(c: Context, dialog: ConfirmView) {
  return wantsFragment(c) ? c.html(liveDialog(dialog)) : c.html(<ConfirmPage page={c.var.page} dialog={dialog} />);
}
