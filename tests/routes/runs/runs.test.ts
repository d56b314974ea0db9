import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { startApp, type TestApp } from "../../helpers/app.ts";

setDefaultTimeout(60_000);

const DAY = Date.UTC(2026, 0, 5);
const RUNS = 130;
const idOf = (n: number) => `run-${String(n).padStart(3, "0")}`;

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_WORKERS: "1", DEMO_LATENCY_MS: "30" } });
  // Ten runs share each millisecond; the rarer kinds lie far apart.
  const statements = Array.from({ length: RUNS }, (_, n) => {
    const failed = n % 40 === 0;
    const values = [
      idOf(n),
      n % 2 ? "full" : "incremental",
      n % 3 ? "1d" : "1h",
      n % 4 ? "demo" : "eodhd",
      failed ? "failed" : "complete",
      DAY + Math.floor(n / 10),
    ];
    return [
      {
        sql: `insert into runs (id, mode, interval, provider, state, created_at, finished_at, years, batch_days, max_workers, range_from, range_to, as_of)
              values (?1, ?2, ?3, ?4, ?5, ?6, ?6 + 90000, '2', 30, 2, 0, 1, 1)`,
        args: values,
      },
      {
        sql: `insert into jobs (run_id, symbol, interval, state, data_points, api_calls, finished_at, error, attempts)
              values (?1, ?2, '1d', ?3, 500, 24, 1, ?4, 2)`,
        args: [idOf(n), n === 7 ? "RARE" : "AAPL", failed ? "failed" : "complete", failed ? "no <such> key" : null],
      },
    ];
  });
  await app.app.db.write(statements.flat());
});
afterAll(() => app[Symbol.asyncDispose]());

const newestFirst = Array.from({ length: RUNS }, (_, i) => idOf(RUNS - 1 - i));

describe("the list over HTTP", () => {
  test("the list of runs pages both ways through runs of the same millisecond, each of them once", async () => {
    const seen: string[] = [];
    let query = "?limit=7";
    let last = "";
    for (;;) {
      const { body } = await app.get(`/api/runs${query}`);
      seen.push(...body.runs.map((run: { id: string }) => run.id));
      last = body.newer;
      if (body.older === null) break;
      query = `?limit=7&before=${body.older}`;
    }
    expect(seen).toEqual(newestFirst);
    const back: string[] = [];
    while (last !== null) {
      const { body } = await app.get(`/api/runs?limit=7&after=${last}`);
      back.unshift(...body.runs.map((run: { id: string }) => run.id));
      expect(body.older).not.toBeNull();
      last = body.newer;
    }
    expect(back).toEqual(newestFirst.slice(0, back.length));
    expect(back.length).toBeGreaterThan(RUNS - 8);
  });

  test("the list of runs takes a time for a cursor, as it always did", async () => {
    const { body } = await app.get(`/api/runs?limit=3&before=${DAY + 2}`);
    expect(body.runs.map((run: { id: string }) => run.id)).toEqual([idOf(19), idOf(18), idOf(17)]);
    expect((await app.get(`/api/runs?before=0`)).body).toEqual({ runs: [], older: null, newer: null });
  });

  test("the list of runs filters by state, mode, interval, provider, symbol and time", async () => {
    const ids = async (query: string) =>
      (await app.get(`/api/runs?limit=200&${query}`)).body.runs.map((run: { id: string }) => Number(run.id.slice(4)));
    const all = newestFirst.map((id) => Number(id.slice(4)));
    expect(await ids("status=failed")).toEqual([120, 80, 40, 0]);
    expect(await ids("mode=full&interval=1h")).toEqual(all.filter((n) => n % 2 === 1 && n % 3 === 0));
    expect(await ids("provider=eodhd")).toEqual(all.filter((n) => n % 4 === 0));
    expect(await ids("symbol=rare")).toEqual([7]);
    expect(await ids("from=2026-01-05T00:00:00.012Z")).toEqual(all.filter((n) => n >= 120));
    expect(await ids("to=2026-01-05T00:00:00.001Z")).toEqual(all.filter((n) => n < 10));
  });

  test("the list of runs refuses what it cannot read, each at its name", async () => {
    const { status, body } = await app.get("/api/runs?before=soon&status=happy&symbol=no%20way&from=never");
    expect(status).toBe(422);
    expect(body.errors.map(({ path }: { path: string }) => path).toSorted()).toEqual([
      "before",
      "from",
      "status",
      "symbol",
    ]);
    expect((await app.get("/api/runs?before=5-a&after=5-b")).status).toBe(422);
  });
});

describe("the page of all runs", () => {
  const rows = (text: string) => [...text.matchAll(/<a href="\/runs\/(run-\d+)">/g)].map(([, id]) => id!);
  const link = (text: string, rel: string) =>
    new RegExp(`rel="${rel}" href="([^"]+)"`).exec(text)?.[1]?.replaceAll("&amp;", "&");

  test("the runs page pages by links that keep the filter, in both directions", async () => {
    const first = (await app.get("/runs?interval=1d")).text;
    const wanted = newestFirst.filter((id) => Number(id.slice(4)) % 3 !== 0);
    expect(rows(first)).toEqual(wanted.slice(0, 50));
    expect(link(first, "prev")).toBeUndefined();
    const second = (await app.get(link(first, "next")!)).text;
    expect(rows(second)).toEqual(wanted.slice(50));
    expect(link(second, "next")).toBeUndefined();
    expect(rows((await app.get(link(second, "prev")!)).text)).toEqual(wanted.slice(0, 50));
  });

  test("the runs page shows each run's states, errors and duration", async () => {
    const { text } = await app.get("/runs?state=failed");
    expect(rows(text)).toEqual([120, 80, 40, 0].map(idOf));
    expect(text).toContain("no &lt;such&gt; key");
    expect(text).toContain("1m 30s");
    expect(text).toContain('<option value="failed" selected="">');
  });

  test("the runs page says at the field what it cannot read, and that it found nothing", async () => {
    const wrong = await app.get("/runs?state=happy&symbol=no%20way&from=soon");
    expect(wrong.status).toBe(422);
    for (const words of ["happy is not a status", "no way is not a symbol", "soon is not a day"])
      expect(wrong.text).toContain(words);
    expect((await app.get("/runs?provider=tiingo")).text).toContain("No run passes this filter");
  });
});

describe("the page of a finished run", () => {
  const symbols = (text: string) => [...text.matchAll(/jobs\/([A-Z]+)">\1<\/a>/g)].map(([, symbol]) => symbol);

  test("the page of a finished run reports from the database, failures first, sortable and as CSV, with links on", async () => {
    const { db } = app.app;
    const job = `insert into jobs (run_id, symbol, interval, state, data_points, api_calls, worked_ms, fetch_ms, attempts, finished_at, error, gaps)
                 values ('run-001', ?, '1d', ?, ?, 3, ?, 1500, ?, 1000, ?, ?)`;
    await db.write([
      { sql: job, args: ["MSFT", "complete", 900, 61_000, 1, null, 2] },
      { sql: job, args: ["NVDA", "failed", 10, 2_500, 3, "the key was refused", null] },
      { sql: job, args: ["ORCL", "skipped", 0, 0, 0, null, null] },
    ]);
    const { text } = await app.get("/runs/run-001");
    expect(symbols(text)).toEqual(["NVDA", "ORCL", "MSFT", "AAPL"]);
    expect(text).toContain("the key was refused");
    expect(text).toContain('formaction="/runs/run-001/jobs/NVDA/retry"');
    expect(text).toContain('formaction="/runs/run-001/jobs/MSFT/refetch"');
    expect(text).toContain('formaction="/runs/run-001/selected/retry"');
    expect(text).toContain("/profiles/MSFT?interval=1d");
    expect(text).toContain("Complete, 2 gaps");
    expect(text).toContain("1m 01s");
    expect(text).not.toContain("data-actions");
    expect(symbols((await app.get("/runs/run-001?sort=-time")).text)[0]).toBe("MSFT");
    expect(symbols((await app.get("/runs/run-001?q=status:failed")).text)).toEqual(["NVDA"]);
    const csv = (await app.get("/runs/run-001?format=csv")).text.split("\r\n");
    expect(csv[1]).toBe("NVDA,failed,10,3,3,1.5,2.5,1970-01-01T00:00:01.000Z,0,the key was refused");
  });

  test("the page of a run is live until it has ended, and again after a retry without JavaScript", async () => {
    const id = await app.start({ symbols: ["IBM"], years: 30 });
    const live = async () => (await app.get(`/runs/${id}`)).text.includes("/events?");
    expect(await live()).toBe(true);
    await app.post(`/api/runs/${id}/cancel`);
    expect(await live()).toBe(false);
    const headers = { Origin: app.url, Referer: `${app.url}/runs/${id}` };
    const retried = await fetch(`${app.url}/runs/${id}/jobs/IBM/retry`, {
      method: "POST",
      headers,
      redirect: "manual",
    });
    expect([retried.status, retried.headers.get("Location")]).toEqual([303, `/runs/${id}`]);
    expect(await live()).toBe(true);
    await app.post(`/api/runs/${id}/cancel`);
    // The page says what else a cell fetches before anything is requested.
    expect((await app.get(`/runs/${id}/jobs/IBM`)).text).toMatch(/again also asks for \d+ batches that are missing/);
  });
});

test("the rates of a paused run are sent while they fall", async () => {
  const { hub } = app.app;
  const id = await app.start({ symbols: ["QQQ"], years: 30 });
  await app.waitForJob("QQQ", ({ runId, dataPoints }) => runId === id && dataPoints > 0);
  await app.post(`/api/runs/${id}/pause`);
  const told: number[] = [];
  const stream = hub.stream();
  while (told.length === 0 || told.at(-1)! >= told[0]!) {
    for (const event of (await stream.next(60_000))!.events) {
      if (event.type === "run" && event.run.id === id) told.push(event.run.requestsPerMinute);
    }
  }
  stream.close();
  expect(told[0]).toBeGreaterThan(0);
  await app.post(`/api/runs/${id}/cancel`);
});
