import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { Hono } from "hono";
import { ProgressHub } from "../../../src/hub.ts";
import { LiveBroadcaster } from "../../../src/routes/live/broadcaster.ts";
import { streamRoutes } from "../../../src/routes/live/stream.ts";
import { job, line, run } from "../../helpers/fixtures.ts";
import { cards, partials } from "./read-frame.ts";

let hub: ProgressHub;
let broadcaster: LiveBroadcaster;
let server: Bun.Server<undefined>;

/** Longer than it takes to report a few things one after the other: they are in one frame. */
const FRAME_MS = 20;

function serve(options?: ConstructorParameters<typeof LiveBroadcaster>[1]) {
  hub = new ProgressHub(FRAME_MS);
  broadcaster = new LiveBroadcaster(hub, { cardsEvery: FRAME_MS, pauses: { redraw: 1, resort: 1 }, ...options });
  broadcaster.start();
  const app = new Hono().route("/", streamRoutes(broadcaster));
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: app.fetch });
}

async function close() {
  broadcaster.close();
  hub.close();
  await server.stop(true);
}

beforeEach(() => serve({ log: 1 }));
afterEach(close);

/** A browser's view of the stream: messages as they arrive, after the first heartbeat. */
async function watch(query = `?since=${broadcaster.cursor()}`, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(`${server.url}events${query}`, { headers, signal: abort.signal });
  expect(response.headers.get("Content-Type")).toStartWith("text/event-stream");
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  const connection = {
    /** The next message: its id, event and data; `null` at the end of the stream. */
    async next() {
      while (!text.includes("\n\n")) {
        const { done, value } = await reader.read();
        if (done) return null;
        text += decoder.decode(value, { stream: true });
      }
      const end = text.indexOf("\n\n");
      const fields = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const of = (name: string) => fields.filter((f) => f.startsWith(`${name}: `)).map((f) => f.slice(name.length + 2));
      return { id: of("id")[0], event: of("event")[0], data: of("data").join("\n") };
    },
    leave: () => abort.abort(),
  };
  expect((await connection.next())?.event).toBe("heartbeat");
  return connection;
}

/** Waits until what was reported so far has been sent. */
const flushed = () =>
  new Promise<void>((resolve) => {
    const stop = hub.onFrame(() => {
      stop();
      resolve();
    });
  });

describe("what a viewer is sent", () => {
  test("a frame has the newest state of each changed job and the run's head in one message, then the log", async () => {
    hub.report(job());
    hub.report(job({ symbol: "MSFT" }));
    hub.reportRun(run());
    await flushed();
    const connection = await watch();
    for (const progress of [2, 3, 4]) hub.report(job({ progress }));
    hub.reportRun(run({ progress: 4 }));
    hub.log(line());
    const message = await connection.next();
    expect(partials(message!.data)).toEqual(["job-r1-AAPL", "run-r1"]);
    expect(partials((await connection.next())!.data)).toEqual(["log-lines"]);
    expect(message!.data).toContain('value="4"');
    expect(message!.data).not.toContain('value="3"');
  });

  test("a frame has nothing for a row that looks as before", async () => {
    hub.report(job());
    hub.report(job({ symbol: "MSFT" }));
    hub.reportRun(run());
    await flushed();
    const connection = await watch();
    hub.report(job({ progress: 2 }));
    expect(partials((await connection.next())!.data)).toEqual(["job-r1-AAPL"]);
    hub.report(job({ progress: 2 }));
    hub.report(job({ symbol: "MSFT", progress: 2 }));
    expect(partials((await connection.next())!.data)).toEqual(["job-r1-MSFT"]);
  });

  test("a new run is opened when the one that is open has ended, and until then it is in the strip only", async () => {
    const connection = await watch();
    hub.report(job());
    hub.reportRun(run());
    const first = (await connection.next())!;
    expect([first.event, first.id]).toEqual(["sections", broadcaster.cursor()]);
    const { sections, came } = JSON.parse(first.data);
    expect(sections).toEqual(["section-r1"]);
    expect(came).toHaveLength(1);
    expect(came[0]).toContain('id="job-r1-AAPL"');
    hub.report(job({ runId: "r2", symbol: "MSFT" }));
    hub.report(job({ progress: 7 }));
    hub.reportRun(run({ id: "r2", createdAt: 1_700_000_000_001 }));
    const second = (await connection.next())!;
    expect(partials(second.data)).toEqual(["job-r1-AAPL", "run-strip"]);
    expect(cards(second.data)).toEqual(["card-r2", "card-r1 open"]);
    // The older one ends, and only the newest of those that ended stays.
    hub.reportRun(run({ state: "complete", finishedAt: 1_700_000_000_002 }));
    let third = (await connection.next())!;
    while (third.event !== "sections") third = (await connection.next())!;
    expect(JSON.parse(third.data).sections).toEqual(["section-r2"]);
    expect(third.data).toContain("job-r2-MSFT");
    const strip = (await connection.next())!;
    expect(partials(strip.data)).toContain("run-strip");
    expect(cards(strip.data)).toEqual([]);
  });

  test("a page that was drawn with another run than is open now gets everything", async () => {
    hub.reportRun(run({ id: "r1", state: "complete", finishedAt: 1_700_000_000_002 }));
    hub.reportRun(run({ id: "r2", createdAt: 1_700_000_000_001 }));
    await flushed();
    const connection = await watch(`?at=r1&since=${broadcaster.cursor()}`);
    const { data } = (await connection.next())!;
    expect(partials(data)).toContain("runs");
    expect(data).toContain('id="section-r2"');
  });

  test("a card is drawn again when its run has changed, with the count of runs above, and no other card", async () => {
    hub.reportRun(run());
    hub.reportRun(run({ id: "r2", createdAt: 1_700_000_000_001 }));
    await flushed();
    const connection = await watch();
    for (const progress of [5, 6, 7]) hub.reportRun(run({ progress }));
    const message = (await connection.next())!;
    expect(partials(message.data)).toEqual(["strip-head", "card-r1"]);
    expect(message.data).toContain('value="7"');
    expect(message.data).toContain("2 runs");
  });

  test("a frame on the page of a run has only that run", async () => {
    hub.reportRun(run());
    hub.reportRun(run({ id: "r2", createdAt: 1_700_000_000_001 }));
    hub.report(job());
    hub.report(job({ runId: "r2" }));
    await flushed();
    const connection = await watch(`?run=r1&since=${broadcaster.cursor()}`);
    hub.report(job({ runId: "r2", progress: 9 }));
    hub.log(line({ runId: "r2" }));
    hub.report(job({ progress: 9 }));
    expect(partials((await connection.next())!.data)).toEqual(["job-r1-AAPL"]);
  });

  test("a frame has only the rows of the filter, and the new list of rows when some enter or leave it", async () => {
    await close();
    // Longer than a frame takes on a busy machine: a row that is new to the page comes with the list, not before it.
    serve({ pauses: { redraw: 1_000, resort: 1_000 } });
    hub.reportRun(run());
    hub.report(job({ symbol: "AAPL" }));
    hub.report(job({ symbol: "MSFT", state: "failed" }));
    await flushed();
    const connection = await watch(`?q=status:running&since=${broadcaster.cursor()}`);
    hub.report(job({ symbol: "MSFT", state: "failed", progress: 5 }));
    hub.report(job({ symbol: "AAPL", progress: 5 }));
    expect(partials((await connection.next())!.data)).toEqual(["job-r1-AAPL"]);
    hub.report(job({ symbol: "MSFT", state: "running", progress: 6 }));
    const rows = (await connection.next())!;
    expect(rows.event).toBe("rows");
    const [order] = JSON.parse(rows.data);
    expect(order).toMatchObject({ body: "jobs-r1", rows: ["job-r1-AAPL", "job-r1-MSFT"] });
    expect(order.came).toHaveLength(1);
    expect(order.came[0]).toStartWith('<tr id="job-r1-MSFT"');
    expect(partials((await connection.next())!.data)).toEqual(["pager-r1"]);
  });

  test("a frame has the rows of its page, and which they are when they move", async () => {
    hub.reportRun(run());
    for (let at = 0; at <= 500; at++) hub.report(job({ symbol: `S${at}`, progress: at }));
    await flushed();
    const connection = await watch(`?run=r1&sort=-progress&page=2&since=${broadcaster.cursor()}`);
    hub.report(job({ symbol: "S7", progress: 8 }));
    hub.report(job({ symbol: "S0", progress: 600 }));
    let message = (await connection.next())!;
    while (message.event !== "rows") message = (await connection.next())!;
    const [order] = JSON.parse(message.data);
    expect(order.rows).toEqual(["job-r1-S1"]);
    expect(order.came.join()).toContain('value="S1"');
    const pager = (await connection.next())!.data;
    expect(partials(pager)).toContain("pager-r1");
    expect(pager).toContain("501–501 of 501");
  });

  test("a frame on the page of a symbol has only that symbol", async () => {
    hub.reportRun(run());
    for (const symbol of ["AAPL", "MSFT"]) hub.report(job({ symbol }));
    await flushed();
    const connection = await watch(`?run=r1&symbol=MSFT&since=${broadcaster.cursor()}`);
    for (const symbol of ["AAPL", "MSFT"]) hub.report(job({ symbol, progress: 8 }));
    expect(partials((await connection.next())!.data)).toEqual(["job-r1-MSFT"]);
  });

  test("a frame has a sentence for screen readers when a symbol has ended", async () => {
    hub.reportRun(run());
    await flushed();
    const connection = await watch();
    hub.reportRun(run({ counts: { ...run().counts, running: 0, complete: 1 }, state: "complete", finishedAt: 1 }));
    const { data } = (await connection.next())!;
    expect(data).toContain("1 complete, none left.");
  });
});

describe("connections", () => {
  test("a connection gets only what happened since the page was drawn", async () => {
    hub.reportRun(run());
    for (const symbol of ["AAPL", "MSFT", "GOOGL"]) hub.report(job({ symbol }));
    await flushed();
    const first = await watch();
    hub.report(job({ symbol: "MSFT", progress: 2 }));
    await first.next();
    const drawn = broadcaster.cursor();
    hub.report(job({ symbol: "GOOGL", progress: 3 }));
    hub.log(line());
    await first.next();
    await first.next();
    const late = await watch(`?since=${drawn}`);
    expect(partials((await late.next())!.data)).toEqual(["job-r1-GOOGL", "log-lines"]);
  });

  test("a reconnection gets what happened since its last message", async () => {
    hub.reportRun(run());
    hub.report(job());
    await flushed();
    const connection = await watch();
    hub.report(job({ progress: 2 }));
    const { id } = (await connection.next())!;
    connection.leave();
    hub.report(job({ progress: 3 }));
    const again = await watch("?since=ignored", { "Last-Event-ID": id! });
    const { data } = (await again.next())!;
    expect(partials(data)).toEqual(["job-r1-AAPL"]);
    expect(data).toContain('value="3"');
  });

  test("a reconnection gets the head of the run and the cards only if a run has changed", async () => {
    for (const id of ["r1", "r2"]) hub.reportRun(run({ id }));
    await flushed();
    const drawn = broadcaster.cursor();
    hub.reportRun(run());
    hub.reportRun(run({ id: "r2", progress: 7 }));
    expect(partials((await (await watch(`?open=r1&since=${drawn}`)).next())!.data)).toEqual(["strip-head", "card-r2"]);
  });

  test("a reconnection gets what had happened before its last message but was not yet in it", async () => {
    hub.reportRun(run());
    hub.report(job());
    await flushed();
    const connection = await watch();
    hub.report(job({ progress: 2 }));
    hub.log(line());
    await connection.next();
    // The next frame is to bring this one; the line comes before it.
    hub.report(job({ progress: 3 }));
    const frame = flushed();
    const { id, data } = (await connection.next())!;
    expect(partials(data)).toEqual(["log-lines"]);
    connection.leave();
    await frame;
    const again = await watch("", { "Last-Event-ID": id! });
    expect((await again.next())!.data).toContain('value="3"');
  });

  test("a connection with an older drawing takes nothing from those that were there before", async () => {
    hub.reportRun(run());
    hub.report(job());
    await flushed();
    const drawn = broadcaster.cursor();
    hub.report(job({ progress: 2 }));
    await flushed();
    const first = await watch();
    hub.report(job({ progress: 3 }));
    const second = await watch(`?since=${drawn}`);
    for (const connection of [second, first]) expect((await connection.next())!.data).toContain('value="3"');
  });

  test.each(["", "?since=another-5-5", "?since=%00", "?since=1-2-3-4"])(
    "a connection with the cursor %p gets everything",
    async (query) => {
      hub.reportRun(run());
      hub.report(job());
      hub.log(line());
      const connection = await watch(query);
      expect(partials((await connection.next())!.data)).toEqual(["runs", "run-strip", "log-lines"]);
    },
  );
});

test("all connections of a page get the same bytes", async () => {
  hub.reportRun(run());
  hub.report(job());
  await flushed();
  const connections = [await watch(), await watch(), await watch()];
  hub.report(job({ progress: 2 }));
  const messages = await Promise.all(connections.map((connection) => connection.next()));
  expect(new Set(messages.map((message) => JSON.stringify(message))).size).toBe(1);
});

test("a connection that is not read is merged, then dropped, and delays nobody", async () => {
  await close();
  serve({ heartbeat: 20, stalled: 300 });
  hub.reportRun(run());
  hub.report(job());
  await flushed();
  const unread = connect(server.port!, "127.0.0.1");
  unread.pause();
  unread.write(`GET /events HTTP/1.1\r\nHost: x\r\n\r\n`);
  const reading = await watch();
  let seen = 0;
  // Long texts soon fill the kernel's buffers; the share of the unread connection must then stop growing.
  for (let round = 1; broadcaster.counts.dropped === 0; round += 1) {
    expect(round).toBeLessThan(500);
    hub.report(job({ microStage: `${round} ${"x".repeat(100_000)}` }));
    let message = await reading.next();
    while (message!.event === "heartbeat") message = await reading.next();
    expect(message!.data).toContain(`${round} xxx`);
    seen += 1;
  }
  expect(broadcaster.counts.merged).toBeGreaterThan(0);
  expect(seen).toBeGreaterThan(1);
  expect(broadcaster.connections).toBe(1);
  unread.destroy();
});

test("the monitor gets quotas when they change, and not otherwise", async () => {
  await close();
  let used = 1;
  const gauge = () => ({ period: "minute", counts: "requests", used, limit: 10, resetsAt: null }) as const;
  const rest = { hold: null, waiting: 0, spenders: [], requests: { minute: 0, today: 0 } };
  serve({ quota: () => [{ provider: "acme", title: "Acme", gauges: [gauge()], ...rest }], quotaEvery: 5 });
  const connection = await watch("?since=old");
  const first = await connection.next();
  expect(partials(first!.data)).toEqual(["runs", "run-strip", "log-lines", "quota"]);
  expect(first!.data).toContain('<b class="num">1</b> of');
  hub.reportRun(run());
  let message = await connection.next();
  while (partials(message!.data).includes("quota")) message = await connection.next();
  expect(message!.event).toBe("sections");
  used = 7;
  message = await connection.next();
  expect(partials(message!.data)).toEqual(["quota"]);
  expect(message!.data).toContain('<b class="num">7</b> of');
});

test("the monitor gets the last hour when it has changed, also before it connected", async () => {
  await close();
  let view: ReturnType<LiveBroadcaster["page"]>["panels"]["lastHour"] = null;
  serve({ lastHour: () => view, lastHourEvery: 5 });
  const connection = await watch();
  view = { since: null, bars: [0, 0, 21], requests: [0, 0, 1], quotas: [] };
  const message = await connection.next();
  expect(partials(message!.data)).toEqual(["activity"]);
  expect(message!.data).toContain('class="filling" d="M8 31v-30h3v30z"');
  // Nothing changes: what comes next is the next change.
  view = { ...view, requests: [0, 0, 2] };
  expect(partials((await connection.next())!.data)).toEqual(["activity"]);
  const drawn = broadcaster.page().cursor;
  view = { ...view, requests: [0, 0, 3] };
  expect(partials((await (await watch(`?since=${drawn}`)).next())!.data)).toEqual(["activity"]);
});

test("a quiet stream sends heartbeats", async () => {
  await close();
  serve({ heartbeat: 10 });
  const { event, data } = (await (await watch()).next())!;
  expect(event).toBe("heartbeat");
  expect(Number(data)).toBeGreaterThan(1_700_000_000_000);
});

test("closing ends every stream, and a disconnect removes the connection", async () => {
  const connection = await watch();
  const other = await watch();
  connection.leave();
  while (broadcaster.connections > 1) await new Promise((resolve) => setImmediate(resolve));
  broadcaster.close();
  expect(await other.next()).toBeNull();
});
