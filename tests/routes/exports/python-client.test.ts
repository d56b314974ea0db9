/** `barkeep.py`, run by a real Python against a real server. Without Python, or without a package, a test is skipped. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { PASSWORD_HASH } from "../../helpers/password.ts";
import { PACKAGES, PYTHON } from "./python.ts";

setDefaultTimeout(60_000);

const TOKEN = "bk_of_this_test";
const CLIENT = new URL("../../../public/barkeep.py", import.meta.url).pathname;

const folder = temporaryFolder();
let app: TestApp;
beforeAll(async () => {
  await Bun.write(`${folder.path}/barkeep.py`, Bun.file(CLIENT));
  app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL", "MSFT"], years: 1, batch_days: 365 }), "complete");
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/**
 * A Python that has started and read the client's modules, which takes longer than most scripts: each script runs in a fork
 * of it, so that none sees what another has done.
 */
const HOST = `
import json, os, sys, traceback, barkeep
for line in sys.stdin:
    job = json.loads(line)
    pid = os.fork()
    if pid == 0:
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(job[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        code = 0
        try:
            os.environ.update(job["env"])
            sys.modules.update(dict.fromkeys(job["without"]))
            exec(job["script"], {"__name__": "__main__", "json": json, "barkeep": barkeep})
        except BaseException:
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitpid(pid, 0)[1], flush=True)
`;

let host: ReturnType<typeof startHost> | undefined;
afterAll(async () => {
  host?.child.kill();
  await host?.child.exited;
});

function startHost() {
  const child = Bun.spawn([PYTHON!, "-B", "-c", HOST], {
    cwd: folder.path,
    env: { PATH: process.env.PATH ?? "", PYTHONIOENCODING: "utf-8", no_proxy: "*" },
    ...{ stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  });
  return { child, answers: child.stdout.pipeThrough(new TextDecoderStream()).getReader() };
}

/** Runs a script beside the client, which cannot import the packages in `without`. */
async function python(script: string, env: Record<string, string> = {}, without: readonly string[] = []) {
  host ??= startHost();
  const [out, err] = [`${folder.path}/out`, `${folder.path}/err`];
  host.child.stdin.write(`${JSON.stringify({ script, env: { BARKEEP_URL: app.url, ...env }, without, out, err })}\n`);
  host.child.stdin.flush();
  const { value } = await host.answers.read();
  const [printed, errors] = await Promise.all([Bun.file(out).text(), Bun.file(err).text()]);
  if (value?.trim() !== "0") throw new Error(`Python ended with ${value}: ${errors}`);
  return { printed, errors };
}

/** What a script prints as JSON. */
const evaluated = async (script: string, ...rest: [env?: Record<string, string>, without?: readonly string[]]) =>
  JSON.parse((await python(script, ...rest)).printed);

interface ListedProfile {
  readonly symbol: string;
  readonly health: string;
  readonly first_bar: string;
  readonly last_bar: string;
  readonly features: { readonly rsi_14: number };
}

const DICTS = ["pandas", "polars"];

describe.skipIf(PYTHON === null)("the Python client (needs python3)", () => {
  test("a snapshot made by the client is that of the API, and answers as known at a moment take datetimes", async () => {
    const { made, known } = await evaluated(
      `import datetime as dt
now = dt.datetime.now(dt.timezone.utc)
made = barkeep.snapshot("From Python", ["AAPL"], names=["rsi_14"], from_="2026-01-01", as_known_at=now)
print(json.dumps({"made": made, "known": len(barkeep.bars("AAPL", from_="2026-01-01", as_known_at=now))}))`,
      {},
      DICTS,
    );
    expect((await app.get(`/api/snapshots/${made.id}`)).body).toEqual(made);
    expect([made.name, made.rows, made.symbols]).toEqual(["From Python", known, ["AAPL"]]);
  });

  test("without packages, the client returns the rows of the API with times in UTC", async () => {
    const rows = await evaluated(
      `rows = barkeep.bars("AAPL", from_="2026-01-01", adjust="none")
print(json.dumps([{**row, "timestamp": row["timestamp"].isoformat()} for row in rows]))`,
      {},
      DICTS,
    );
    const { body } = await app.get("/api/bars/AAPL?from=2026-01-01&adjust=none");
    expect(rows.length).toBeGreaterThan(100);
    expect(rows).toEqual(
      body.data.map((row: { timestamp: string }) => ({
        ...row,
        timestamp: row.timestamp.replace(".000Z", "Z").replace("Z", "+00:00"),
      })),
    );
  });

  test("dates and datetimes of Python are the same moments for the client, with an offset or without", async () => {
    const counts = await evaluated(
      `import datetime as dt
east = dt.timezone(dt.timedelta(hours=5))
starts = ["2026-06-02", dt.date(2026, 6, 2), dt.datetime(2026, 6, 2), dt.datetime(2026, 6, 2, 5, tzinfo=east)]
print(json.dumps([len(barkeep.bars("AAPL", from_=start, to="2026-07-01")) for start in starts]))`,
      {},
      DICTS,
    );
    expect(new Set(counts).size).toBe(1);
    expect(counts[0]).toBeGreaterThan(15);
  });

  test("a panel of the client has features and labels, and a warning for what is missing or made up", async () => {
    const { printed, errors } = await python(
      `rows = barkeep.panel(["MSFT", "AAPL", "NOPE"], names="rsi_14", include="ohlcv", labels=["fwd_ret_5"])
print(list(rows[0]), rows[-1]["fwd_ret_5"], sorted({row["symbol"] for row in rows}))`,
      {},
      DICTS,
    );
    expect(printed.trim()).toBe(
      "['symbol', 'timestamp', 'open', 'high', 'low', 'close', 'volume', 'rsi_14', 'fwd_ret_5'] None ['AAPL', 'MSFT']",
    );
    expect(errors).toContain("BarkeepWarning: 1 symbol has no bars in the range: NOPE");
    expect(errors).toContain("BarkeepWarning: these bars are made up");
  });

  test("a refusal becomes an error with its status and every wrong field", async () => {
    const [status, text, errors] = await evaluated(
      `try: barkeep.features("AAPL", [], interval="7m")
except barkeep.BarkeepError as error: print(json.dumps([error.status, str(error), error.errors]))`,
    );
    expect(status).toBe(422);
    expect(errors.map(({ path }: { path: string }) => path)).toEqual(["interval", "names"]);
    expect(text).toContain('"7m" is not one of');
  });

  test("wait returns the run with its jobs, and raises with the reasons where symbols failed", async () => {
    const { printed, errors } = await python(
      `done = barkeep.wait(barkeep.run("NVDA", years=1))
print(done["status"], done["jobs"][0]["symbol"])
try: barkeep.wait(barkeep.run(["TSLA", "DEMO-FAIL"], years=1)["id"], quiet=True)
except barkeep.BarkeepError as error: print(error, error.run["status"])`,
    );
    const [complete, failed] = printed.trim().split("\n");
    expect(complete).toBe("complete NVDA");
    expect(failed).toMatch(/^1 of 2 symbols failed: DEMO-FAIL: .+ failed$/);
    expect(errors).toMatch(/complete 100%, 1 of 1 symbols, \d+ bars\n$/);
  });

  test("the token of the environment opens a server with a password, and stands in no message", async () => {
    await using guarded = await startApp({ env: { BARKEEP_PASSWORD_HASH: PASSWORD_HASH }, ownToken: TOKEN });
    const served = await fetch(`${guarded.url}/barkeep.py`);
    expect([served.status, await served.text()]).toEqual([200, await Bun.file(CLIENT).text()]);
    const ask = `try: print(barkeep.bars("AAPL"))
except barkeep.BarkeepError as error: print(error.status, error)`;
    const env = { BARKEEP_URL: guarded.url };
    const wrong = await python(ask, { ...env, BARKEEP_TOKEN: "bk_wrong" });
    expect(wrong.printed).toContain("401 Sign in");
    expect(wrong.printed).toContain("Set BARKEEP_TOKEN");
    expect(wrong.printed + wrong.errors).not.toContain("bk_wrong");
    expect((await python(ask, { ...env, BARKEEP_TOKEN: TOKEN })).printed).toStartWith(
      "404 There are no 1d bars of AAPL",
    );
  });

  test("the client sends again what a busy server put off, as often as it may, and not what it refused", async () => {
    const asked: string[] = [];
    using busy = serve((request) => {
      asked.push(`${request.method} ${new URL(request.url).pathname}`);
      const isThird = asked.length === 3;
      if (isThird) return Response.json({ run: { id: "a" } }, { status: 202 });
      return problem(asked.length === 1 ? 503 : 429, { "Retry-After": "0" });
    });
    expect(await evaluated(`print(json.dumps(barkeep.run("AAPL")))`, { BARKEEP_URL: busy.url })).toEqual({ id: "a" });
    expect(asked).toEqual(Array(3).fill("POST /api/runs"));
    asked.splice(0, 3, ..."xxx");
    const ask = `try: barkeep.bars("AAPL")
except barkeep.BarkeepError as error: print(error.status)`;
    expect((await python(ask, { BARKEEP_URL: busy.url })).printed).toBe("429\n");
    expect(asked).toEqual([..."xxx", ...Array(6).fill("GET /api/bars/AAPL")]);
  });

  test("the client does not wait longer than a minute: it says how long the server asks for", async () => {
    let asked = 0;
    using busy = serve(() => {
      asked += 1;
      return problem(429, { "Retry-After": "7200" });
    });
    const ask = `try: barkeep.bars("AAPL")
except barkeep.BarkeepError as error: print(error)`;
    expect((await python(ask, { BARKEEP_URL: busy.url })).printed).toBe("later (try again in 2.0 h) [429]\n");
    expect(asked).toBe(1);
  });

  test("the client follows no redirect, so that its token reaches no other server", async () => {
    const tokens: (string | null)[] = [];
    using other = serve((request) => {
      tokens.push(request.headers.get("Authorization"));
      return new Response("");
    });
    using moved = serve((request) => Response.redirect(other.url + new URL(request.url).pathname, 302));
    const ask = `try: barkeep.bars("AAPL")
except barkeep.BarkeepError as error: print(error)`;
    const { printed } = await python(ask, { BARKEEP_URL: moved.url, BARKEEP_TOKEN: "bk_secret" });
    expect(printed).toBe(`the server is at ${other.url}: set BARKEEP_URL to that [302]\n`);
    expect(tokens).toEqual([]);
  });

  test.each(["localhost:3000", "http://me:secret@127.0.0.1", "ftp://127.0.0.1"])(
    "the client refuses the address %s and says what it wants",
    async (address) => {
      const ask = `try: barkeep.bars("AAPL", url=${JSON.stringify(address)})
except ValueError as error: print(error)`;
      const { printed } = await python(ask);
      expect(printed).toStartWith("BARKEEP_URL wants");
      expect(printed).not.toContain("secret");
    },
  );

  test("profiles that satisfy a screen have the columns that it names, without packages as dicts", async () => {
    const script = `rows = barkeep.profiles("rsi_14 > 0 and rank(rsi_14) > 0", sort="-symbol")
print(json.dumps(rows, default=lambda moment: moment.isoformat()))`;
    const { profiles } = (await app.get("/api/profiles?sort=-symbol")).body;
    const rows = await evaluated(script, {}, DICTS);
    expect(rows).toEqual(
      profiles.map((profile: ListedProfile) => ({
        symbol: profile.symbol,
        interval: "1d",
        provider: "demo",
        health: profile.health,
        first_bar: profile.first_bar.replace(".000Z", "+00:00"),
        last_bar: profile.last_bar.replace(".000Z", "+00:00"),
        rsi_14: profile.features.rsi_14,
        "rank(rsi_14)": expect.any(Number),
      })),
    );
    const [weekly] = await evaluated(
      `print(json.dumps([[row["derived_from"], row["partial"]] for row in barkeep.profiles(interval="1w", q="AAPL")]))`,
      {},
      DICTS,
    );
    const { body } = await app.get("/api/profiles/AAPL?interval=1w");
    expect(weekly).toEqual([body.derived_from, body.partial.join(" ")]);
  });

  test.skipIf(!PACKAGES.has("pandas"))("frames of pandas are the same from text and from Parquet", async () => {
    const script = `frame = barkeep.panel(["AAPL", "MSFT"], names="rsi_14", include="ohlcv", labels="fwd_ret_5")
bars = barkeep.bars("AAPL")
empty = barkeep.panel(["AAPL"], names="rsi_14", from_="2026-01-01", to="2026-01-01")
print(json.dumps([frame.to_csv(), str(frame.dtypes.tolist()), frame.index.names, frame.loc["AAPL"].index.dtype.str,
  str(bars.index.dtype), bars.index.name, bars.to_csv(), len(empty)]))`;
    const text = await evaluated(script, {}, ["pyarrow"]);
    expect(text.slice(2, 6)).toEqual([["symbol", "timestamp"], "|M8[ns]", "datetime64[ns, UTC]", "timestamp"]);
    expect(text.at(-1)).toBe(0);
    if (PACKAGES.has("pyarrow")) expect(await evaluated(script)).toEqual(text);
  });

  test("functions of the client take every parameter of their routes, and no other", async () => {
    const { paths, components } = (await app.get("/api/openapi.json")).body;
    const query = (path: string) =>
      paths[path].get.parameters.flatMap((each: { in: string; name: string; $ref?: string }) => {
        const { in: place, name } = each.$ref ? components.parameters[each.$ref.split("/").at(-1)!] : each;
        return place === "query" ? [name] : [];
      });
    const body = (path: string) => {
      const { schema } = paths[path].post.requestBody.content["application/json"];
      return Object.keys((schema.$ref ? components.schemas[schema.$ref.split("/").at(-1)] : schema).properties);
    };
    const routes = {
      bars: query("/api/bars/{symbol}"),
      features: query("/api/features/{symbol}"),
      panel: query("/api/panel"),
      profiles: query("/api/profiles"),
      run: body("/api/runs"),
      snapshot: body("/api/snapshots"),
    };
    const taken = await evaluated(
      `import inspect
own = {"output", "url", "token"}
print(json.dumps({name: [p.rstrip("_") for p in inspect.signature(getattr(barkeep, name)).parameters if p not in own]
  for name in ["bars", "features", "panel", "profiles", "run", "snapshot"]}))`,
    );
    // The form of the answer is chosen by the client, pages of a list are one table.
    const handled = ["format", "offset", "reason"];
    for (const [name, wanted] of Object.entries(routes)) {
      const own = (taken[name] as string[]).filter((each) => each !== "symbol" || name === "run");
      expect([name, ...own.sort()]).toEqual([name, ...wanted.filter((each: string) => !handled.includes(each)).sort()]);
    }
  });

  test("a run of the client has the name and the days that Python gave it", async () => {
    const { name, from, to } = await evaluated(
      `import datetime as dt
started = barkeep.run(["MSFT"], name="May", from_=dt.date(2026, 5, 1), to="2026-06-01")
print(json.dumps(barkeep.wait(started, quiet=True)))`,
    );
    expect([name, from, to]).toEqual(["May", "2026-05-01", "2026-06-01"]);
  });

  test.skipIf(!PACKAGES.has("pandas"))("symbols that look like numbers stay what they are in every table", async () => {
    const symbols = ["0700", "7203", "TRUE", "1E5", "INF", "NA"];
    await app.waitForRun(await app.start({ symbols, years: 1, batch_days: 365 }), "complete");
    const script = `symbols = ${JSON.stringify(symbols)}
frame = barkeep.panel(symbols[:2], names="none", include="ohlcv", output="pandas")
screen = barkeep.profiles(q="0700", interval="1d", output="pandas")
print(json.dumps([list(frame.index.unique("symbol")), [barkeep.profiles(q=symbol, output="pandas").index[0][0] for symbol in symbols],
  str(screen["td_setup"].dtype)]))`;
    expect(await evaluated(script, {}, ["pyarrow"])).toEqual([["0700", "7203"], symbols, "float64"]);
    if (PACKAGES.has("pyarrow")) expect(await evaluated(script)).toEqual([["0700", "7203"], symbols, "float64"]);
    if (!PACKAGES.has("polars")) return;
    const polars = `screen = barkeep.profiles(q="0700", interval="1d", output="polars")
print(json.dumps([screen["symbol"].to_list(), *[str(screen.schema[name]) for name in ["td_setup", "last_bar"]]]))`;
    expect(await evaluated(polars)).toEqual([["0700"], "Float64", "Datetime(time_unit='us', time_zone='UTC')"]);
  });

  test.skipIf(!PACKAGES.has("pandas"))("profiles as a frame of pandas have numbers and times in UTC", async () => {
    const script = `frame = barkeep.profiles(interval="1d", q="AAPL")
print(json.dumps([len(frame), frame.index.names, str(frame.dtypes["last_bar"]), str(frame.dtypes["rsi_14"])]))`;
    expect(await evaluated(script)).toEqual([1, ["symbol", "interval"], "datetime64[ns, UTC]", "float64"]);
  });

  test.skipIf(!PACKAGES.has("polars"))("frames of polars have times in UTC and symbols as text", async () => {
    const script = `frame = barkeep.panel(["AAPL", "MSFT"], names="rsi_14", dtype="float32")
print(json.dumps({name: str(kind) for name, kind in frame.schema.items()}))`;
    expect(await evaluated(script, {}, ["pandas"])).toEqual({
      symbol: "String",
      timestamp: "Datetime(time_unit='us', time_zone='UTC')",
      rsi_14: "Float32",
    });
  });
});

const problem = (status: number, headers: Record<string, string>) =>
  Response.json({ title: "Busy", detail: "later", status }, { status, headers });

/** A server on loopback in place of Barkeep. */
function serve(fetch: (request: Request) => Response) {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
  return { url: server.url.href.replace(/\/$/, ""), [Symbol.dispose]: () => void server.stop(true) };
}
