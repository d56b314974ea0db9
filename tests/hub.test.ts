import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BUSY_FRAME_MS, FRAME_MS, type Frame, type HubEvent, jobKey, ProgressHub } from "../src/hub.ts";
import { createLog } from "../src/log.ts";
import { redactor } from "../src/redact.ts";
import { job, line, run } from "./helpers/fixtures.ts";

let hub: ProgressHub;
beforeEach(() => {
  hub = new ProgressHub();
});
afterEach(() => hub.close());

const report = (symbol: string, dataPoints = 0) => hub.report(job({ symbol, dataPoints }));
const symbolsOf = (events: readonly HubEvent[]) =>
  events.flatMap((event) => (event.type === "progress" ? [event.job.symbol] : []));

describe("the last state of every job", () => {
  test("the hub has the last state of every job for a reader that connects late", () => {
    report("A", 1);
    report("B", 2);
    report("A", 3);
    hub.reportRun(run());
    hub.log(line());
    const { jobs, runs, logs, seq } = hub.snapshot();
    expect(jobs.map(({ symbol, dataPoints }) => [symbol, dataPoints])).toEqual([
      ["A", 3],
      ["B", 2],
    ]);
    expect([runs.length, logs.length, seq]).toEqual([1, 1, 5]);
  });

  test("the hub forgets a job's state with its run, and only then", () => {
    report("A");
    hub.report(job({ runId: "r2", symbol: "A" }));
    hub.forget("r1");
    expect(hub.snapshot().jobs.map(({ runId }) => runId)).toEqual(["r2"]);
  });

  test("the hub knows the last report that changed a run, not those that repeat it", () => {
    expect(hub.runChangedAt("r1")).toBe(0);
    hub.reportRun(run());
    report("A");
    hub.reportRun(run());
    expect(hub.runChangedAt("r1")).toBe(1);
    hub.reportRun(run({ progress: 7 }));
    expect(hub.runChangedAt("r1")).toBe(4);
    hub.forget("r1");
    expect(hub.runChangedAt("r1")).toBe(0);
  });

  test("the hub keeps a bounded number of log lines, the newest", () => {
    for (let i = 0; i < 2_500; i++) hub.log(line({ message: `${i}` }));
    const lines = hub.lines();
    expect(lines.length).toBe(1_000);
    expect([lines[0]!.message, lines.at(-1)!.message]).toEqual(["1500", "2499"]);
  });
});

describe("frames", () => {
  const nextFrame = () =>
    new Promise<Frame>((resolve) => {
      const stop = hub.onFrame((frame) => {
        stop();
        resolve(frame);
      });
    });

  test("frames hold the newest state of each job that changed, every log line, and nothing else", async () => {
    report("BEFORE");
    const coming = nextFrame();
    for (let i = 0; i < 100; i++) {
      report(i % 2 ? "A" : "B", i);
      hub.log(line({ message: `${i}` }));
    }
    hub.reportRun(run({ progress: 1 }));
    hub.reportRun(run({ progress: 2 }));
    const frame = await coming;
    expect(frame.jobs.map(({ symbol, dataPoints }) => [symbol, dataPoints])).toEqual([
      ["B", 98],
      ["A", 99],
    ]);
    expect(frame.runs.map(({ progress }) => progress)).toEqual([2]);
    expect(frame.logs.map(({ message }) => message)).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
  });

  test("frames come at most once per interval, and not at all when nothing happens", async () => {
    const times: number[] = [];
    const three = new Promise<void>((resolve) => {
      hub.onFrame(() => {
        times.push(performance.now());
        if (times.length === 3) resolve();
        else report("A");
      });
    });
    report("A");
    await three;
    // A timer may be late, never early (it counts in whole milliseconds).
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThanOrEqual(FRAME_MS - 2);
  });

  test("frames are further apart after many events", async () => {
    await Promise.all([nextFrame(), report("A")]);
    const rush = nextFrame();
    for (let i = 0; i < 60; i++) report("A");
    await rush;
    const at = performance.now();
    await Promise.all([nextFrame(), report("A")]);
    expect(performance.now() - at).toBeGreaterThanOrEqual(BUSY_FRAME_MS - 2);
  });

  test("a frame that nobody follows is not kept for a later reader", async () => {
    const stop = hub.onFrame(() => {});
    stop();
    for (let i = 0; i < 50; i++) hub.log(line());
    const coming = nextFrame();
    hub.log(line({ message: "news" }));
    expect((await coming).logs.map(({ message }) => message)).toEqual(["news"]);
  });
});

describe("streams", () => {
  test("streams deliver every event once and in order, however fast they are read", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 20 }), async (bursts) => {
        using stack = new DisposableStack();
        const own = new ProgressHub();
        stack.defer(() => own.close());
        const stream = own.stream();
        const seqs: number[] = [];
        for (const burst of bursts) {
          for (let i = 0; i < burst; i++) own.report(job({ symbol: `S${i}` }));
          const chunk = await stream.next(0);
          expect(chunk!.lagged).toBe(0);
          seqs.push(...chunk!.events.map(({ seq }) => seq));
        }
        expect(seqs).toEqual(Array.from({ length: own.seq }, (_, i) => i + 1));
      }),
      { numRuns: 50 },
    );
  });

  test("streams hold no more than their limit, and count what they dropped", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 40 }),
        fc.array(fc.constantFrom("progress", "log"), { maxLength: 200 }),
        async (limit, kinds) => {
          using stack = new DisposableStack();
          const own = new ProgressHub();
          stack.defer(() => own.close());
          const stream = own.stream({ limit });
          for (const kind of kinds) kind === "log" ? own.log(line()) : own.report(job());
          if (kinds.length === 0) return;
          const { lagged, events } = (await stream.next(0))!;
          expect(events.length).toBeLessThanOrEqual(limit);
          expect(events.length + lagged).toBe(kinds.length);
          if (kinds.length <= limit) expect(lagged).toBe(0);
          // The newest event is always among them: a stream that lags does not end with old news.
          expect(events.at(-1)!.seq).toBe(own.seq);
        },
      ),
    );
  });

  test("streams keep log lines when they drop progress", async () => {
    const stream = hub.stream({ limit: 10 });
    hub.log(line({ message: "important" }));
    for (let i = 0; i < 100; i++) report("A", i);
    const { events, lagged } = (await stream.next(0))!;
    expect(lagged).toBeGreaterThan(0);
    expect(events[0]).toMatchObject({ type: "log", line: { message: "important" } });
  });

  test("streams with `latest` leave out what a later event supersedes, never the newest of a job", async () => {
    const symbols = fc.array(fc.constantFrom("A", "B", "C"), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(symbols, async (order) => {
        using stack = new DisposableStack();
        const own = new ProgressHub();
        stack.defer(() => own.close());
        const stream = own.stream({ latest: true });
        for (const symbol of order) own.report(job({ symbol }));
        const { events } = (await stream.next(0))!;
        expect(symbolsOf(events).toSorted()).toEqual([...new Set(order)].toSorted());
        for (const event of events) {
          if (event.type === "progress") expect(own.jobByKey(jobKey("r1", event.job.symbol))!.seq).toBe(event.seq);
        }
      }),
    );
  });

  test("streams wait for the next event, give up after their maximum wait, and end when they are closed", async () => {
    const stream = hub.stream();
    const coming = stream.next(60_000);
    report("A");
    expect(symbolsOf((await coming)!.events)).toEqual(["A"]);
    expect(await stream.next(1)).toEqual({ lagged: 0, events: [] });
    const last = stream.next(60_000);
    hub.close();
    expect(await last).toBeNull();
    expect(await hub.stream().next(60_000)).toBeNull();
  });
});

test("a message is one line without control characters, wherever it goes", () => {
  const printed: string[] = [];
  const saved: string[] = [];
  const hub = new ProgressHub();
  const log = createLog({
    level: "info",
    hub,
    save: ({ message }) => saved.push(message),
    print: (text) => printed.push(text),
  });
  log.write("warn", "POST /x\nFORGED line\u001b[31m\u0007\u009b\u202e\u2028 é 💥");
  const wanted = "POST /x\\nFORGED line\\x1b[31m\\x07\\x9b\\u202e\\u2028 é 💥";
  expect(printed[0]).toEndWith(` warn  ${wanted}`);
  expect([saved, hub.lines().map(({ message }) => message)]).toEqual([[wanted], [wanted]]);
});

test("a secret is redacted as it is, encoded, in another case and spaced out; other text stays", () => {
  const redact = redactor(["sk-Secret+key/12345"]);
  for (const form of ["sk-Secret+key/12345", "SK-SECRET+KEY/12345", "s k - S e c r e t + k e y / 1 2 3 4 5"]) {
    expect(redact(`before ${form} after`)).toBe("before *** after");
  }
  expect(redact(encodeURIComponent("sk-Secret+key/12345"))).toBe("***");
  expect(redact("sk-Secret is not all of it")).toBe("sk-Secret is not all of it");
});

test("the lines of a log are printed in their order, warnings at once, and none is lost when the process ends itself", async () => {
  const script = `
    import { createLog } from "${import.meta.dir}/../src/log.ts";
    import { ProgressHub } from "${import.meta.dir}/../src/hub.ts";
    const written = [];
    const write = process.stderr.write.bind(process.stderr);
    process.stderr.write = (text) => (written.push(text), write(text));
    const log = createLog({ level: "info", hub: new ProgressHub() });
    for (const message of ["first", "second"]) log.write("info", message);
    console.log(written.length);
    log.write("warn", "third");
    console.log(written.length);
    await new Promise((resolve) => setImmediate(resolve));
    console.log(written.length);
    log.write("info", "fourth");
    process.exit(3);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" });
  const [counts, printed, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  expect([counts, code]).toEqual(["0\n1\n1\n", 3]);
  const words = printed
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" ").at(-1));
  expect(words).toEqual(["first", "second", "third", "fourth"]);
});
