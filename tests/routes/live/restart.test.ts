/** What viewers see that come back with an id of an earlier start of the server: the whole state, and nothing is missing. */

import { expect, test } from "bun:test";
import { startApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";

const SYMBOLS = ["AAPL", "MSFT", "NVDA", "SPY"];
const ORDER = { symbols: SYMBOLS, years: 1, batch_days: 10 };

/** Starts a run, ends the server in the middle of it and starts it again; `seen` is what a viewer had seen until then. */
async function restarted(folder: ReturnType<typeof temporaryFolder>) {
  // The run is to last until a viewer is there again, on a busy machine too.
  const env = { BARKEEP_WORKERS: "1", DEMO_LATENCY_MS: "20" };
  const before = await startApp({ folder, env });
  const seen = { json: "", page: "" };
  const viewer = await before.events();
  const runId = await before.start(ORDER);
  const progress = await viewer.until(({ event, data }) => event === "progress" && data.progress > 0);
  seen.json = progress.at(-1)!.id!;
  seen.page = /since=([\w-]+)/.exec((await before.get("/")).text)![1]!;
  await viewer.close();
  await before[Symbol.asyncDispose]();
  return { app: await startApp({ folder, env }), seen, runId };
}

test("a program that comes back after a restart is told so, gets the whole state, and then every event in order", async () => {
  using folder = temporaryFolder();
  const { app, seen, runId } = await restarted(folder);
  await using _ = app;
  await using again = await app.events("", { "Last-Event-ID": seen.json });
  const lagged = await again.next();
  const [start] = seen.json.split("-");
  expect([lagged.event, lagged.id!.startsWith(`${start}-`)]).toEqual(["lagged", false]);
  const snapshot = await again.next();
  expect([snapshot.event, snapshot.id]).toEqual(["snapshot", `${app.app.hub.epoch}-${snapshot.data.seq}`]);
  expect(lagged.data.skipped).toBeLessThanOrEqual(snapshot.data.seq);
  expect(snapshot.data.runs.map(({ id }: { id: string }) => id)).toEqual([runId]);
  const jobs: { symbol: string; seq: number; progress: number; status: string }[] = snapshot.data.jobs;
  expect(jobs.map(({ symbol }) => symbol).sort()).toEqual(SYMBOLS);

  // Applied to the snapshot, the events lead to what the server itself has in the end.
  const state = new Map(jobs.map((each) => [each.symbol, each]));
  const ended = (each: { event: string; data: { status?: string } }) =>
    each.event === "run" && each.data.status === "complete";
  const events = await again.until(ended);
  const numbers = events.map(({ id }) => Number(id!.split("-")[1]));
  expect(numbers).toEqual(numbers.map((_, at) => snapshot.data.seq + 1 + at));
  for (const { event, data } of events) if (event === "progress") state.set(data.symbol, data);
  const { body } = await app.get(`/api/runs/${runId}`);
  const shown = ({ symbol, progress, status }: { symbol: string; progress: number; status: string }) => [
    symbol,
    progress,
    status,
  ];
  expect([...state.values()].map(shown).sort()).toEqual(body.run.jobs.map(shown).sort());
  expect([...state.values()].every(({ status }) => status === "Complete")).toBe(true);
});

test("a page that comes back after a restart gets every row, the whole log and all panels at once", async () => {
  using folder = temporaryFolder();
  const { app, seen, runId } = await restarted(folder);
  await using _ = app;
  for (const id of [seen.page, "nonsense"]) {
    const abort = new AbortController();
    const headers = { "Last-Event-ID": id, "Accept-Encoding": "identity" };
    const { body } = await fetch(`${app.url}/events`, { headers, signal: abort.signal });
    let text = "";
    for await (const chunk of body!) {
      text += new TextDecoder().decode(chunk);
      if (text.includes("log-lines") || text.includes('id="log')) break;
    }
    abort.abort();
    for (const symbol of SYMBOLS) expect(text).toContain(`job-${runId}-${symbol}`);
    expect(text).toContain(`run-${runId}`);
  }
});
