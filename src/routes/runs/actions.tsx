/** @jsxImportSource hono/jsx */
/** The forms that start a run and act on a job. Without JavaScript each redirects back to its page. */

import { type Context, Hono } from "hono";
import { Refusal } from "../../domain/errors.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { JOB_ACTIONS } from "../../domain/runs/states.ts";
import { queueAddress } from "../../views/jobs/queue-url.ts";
import { liveToast } from "../../views/live.tsx";
import { MonitorPage } from "../../views/runs/monitor-page.tsx";
import { RunForm } from "../../views/runs/run-form.tsx";
import { plural } from "../../views/ui/format.ts";
import type { LiveBroadcaster } from "../live/broadcaster.ts";
import { MONITOR } from "../live/view-query.ts";
import { previousPath, wantsFragment } from "../page-context.ts";
import type { Services } from "../services.ts";
import { monitorView } from "./monitor.tsx";
import { emptyForm, errorsOf, readFields, runRequestOf } from "./run-form.ts";

export function actionRoutes(
  services: Pick<Services, "config" | "hub" | "runs" | "settings">,
  broadcaster: LiveBroadcaster,
) {
  const { runs } = services;
  const actions = new Hono();

  actions.post("/runs", async (c) => {
    const values = readFields(await c.req.parseBody());
    let run: RunSummary;
    try {
      run = await runs.start(runRequestOf(values));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const form = emptyForm(services, values, errorsOf(error));
      if (wantsFragment(c)) return c.html(<RunForm form={form} />, error.status);
      const { view } = monitorView(broadcaster, form, { text: "", error: null, sort: "", path: "/" }, MONITOR);
      return c.html(<MonitorPage page={{ ...c.var.page, path: "/" }} view={view} />, error.status);
    }
    const address = queueAddress({ filter: "", sort: "", page: 1, open: run.id });
    if (!wantsFragment(c)) return c.redirect(`/${address}`, 303);
    // The rows come over the stream, or the card alone where another run is open; the form keeps its choices.
    const form = `${<RunForm form={emptyForm(services, { ...values, symbols: "", name: "" })} />}`;
    const others = services.hub.runs().some(({ id, finishedAt }) => finishedAt === null && id !== run.id);
    const text = `Run of ${plural(run.total, "symbol")} started.`;
    return c.html(others ? form + liveToast("info", text, { address: `/${address}`, words: "Open it" }) : form);
  });

  actions.post("/runs/acknowledge", async (c) => {
    const count = await runs.acknowledgeAll();
    return wantsFragment(c)
      ? c.html(liveToast("info", `Failures of ${plural(count, "run")} acknowledged.`))
      : c.redirect(previousPath(c), 303);
  });

  actions.post("/runs/:id/acknowledge", async (c) => {
    await runs.acknowledge(c.req.param("id"));
    return done(c);
  });

  actions.post("/runs/:id/jobs/:symbol/first", async (c) => {
    const symbol = parseSymbol(c.req.param("symbol"));
    if (symbol === null) throw new Refusal("not_found", "There is no such symbol");
    await runs.moveToFront(c.req.param("id"), symbol);
    return done(c);
  });

  actions.post("/runs/:id/jobs/:symbol/:action", async (c) => {
    const symbol = parseSymbol(c.req.param("symbol"));
    const action = JOB_ACTIONS.find((each) => each === c.req.param("action"));
    if (symbol === null || action === undefined) throw new Refusal("not_found", "There is no such symbol or action");
    await runs.actOnJob(c.req.param("id"), symbol, action);
    return done(c);
  });

  return actions;
}

/** The stream shows the effect of an action; without JavaScript the browser is redirected back. */
const done = (c: Context) => (wantsFragment(c) ? c.body(null, 204) : c.redirect(previousPath(c), 303));
