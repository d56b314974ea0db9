/** The commands of "Copy as", run as a page prints them. Where a program or package is missing, a test is skipped. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { PASSWORD_HASH } from "../../helpers/password.ts";
import { PACKAGES, PYTHON } from "./python.ts";

setDefaultTimeout(60_000);

const TOKEN = "bk_of_this_test";
const AUTHORIZED = { Authorization: `Bearer ${TOKEN}` };

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" } as const;
const decoded = (html: string) => html.replaceAll(/&[^;]+;/g, (entity) => ENTITIES[entity as keyof typeof ENTITIES]);

/** The commands of a page by their titles. */
const commandsOf = (html: string): Record<string, string> =>
  Object.fromEntries(
    [...html.matchAll(/<summary>(\w+)<\/summary><button[^>]*data-copy[^>]*>Copy<\/button><pre>([^<]*)<\/pre>/g)].map(
      ([, title, text]) => [title!, decoded(text!)],
    ),
  );

// Its addresses hold what quotes, shells and languages could read as their own.
const PANEL = `/panel?${new URLSearchParams({
  where: `rsi_14 > 0 or sector = "Fund's $x"`,
  interval: "1d",
  from: "2026-01-01",
  include: "ohlcv",
  feature: "rsi_14",
  labels: "fwd_ret_5",
  format: "csv",
})}`;

// A screen with a rank and a fact: its columns are rsi_14 and rank(rsi_14).
const SCREEN = `/profiles?${new URLSearchParams({
  where: `rsi_14 > 0 and (rank(rsi_14) > 0 or sector = "Fund's $x")`,
  interval: "1d",
  sort: "-rsi_14",
})}`;

const RUN = {
  symbols: ["AAPL", "MSFT"],
  mode: "full",
  interval: "1d",
  years: 1,
  batchDays: 365,
} as const;

describe.each(["open", "guarded"] as const)("commands of a server that is %s", (kind) => {
  const isGuarded = kind === "guarded";
  const folder = temporaryFolder();
  let app: TestApp;
  let profile: Record<string, string>;
  let panel: Record<string, string>;
  let screen: Record<string, string>;
  beforeAll(async () => {
    app = await startApp({ ownToken: TOKEN, env: isGuarded ? { BARKEEP_PASSWORD_HASH: PASSWORD_HASH } : {} });
    const { id } = await app.app.runs.start(RUN);
    await app.waitForRun(id, "complete");
    const read = async (path: string) => (await fetch(app.url + path, { headers: AUTHORIZED })).text();
    profile = commandsOf(await read("/profiles/AAPL?interval=1d&adjust=none"));
    panel = commandsOf(await read(PANEL));
    screen = commandsOf(await read(SCREEN));
  });
  afterAll(async () => {
    await app[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  /** What a program prints on the standard output, which is also that of the script. */
  async function output(command: readonly string[]): Promise<string> {
    const env = { PATH: process.env.PATH ?? "", no_proxy: "*", ...(isGuarded && { BARKEEP_TOKEN: TOKEN }) };
    const child = Bun.spawn([...command], { cwd: folder.path, env, stdout: "pipe", stderr: "pipe" });
    const [printed, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    if (code !== 0) throw new Error(`${command[0]} ended with ${code}: ${errors}`);
    return printed.trim();
  }

  test(`commands of the ${kind} server name the page's own address, and the token only as a variable`, () => {
    expect(Object.keys(profile)).toEqual(["Python", "pandas", "polars", "DuckDB", "R", "curl"]);
    for (const text of [profile, panel, screen].flatMap((each) => Object.values(each))) {
      expect(text).toContain(app.url);
      expect(text).not.toContain(TOKEN);
    }
    for (const text of Object.values(profile)) {
      expect(text).toMatch(/\binterval="?1d\b/);
      expect(text).toMatch(/\badjust="?none\b/);
    }
  });

  test.skipIf(Bun.which("curl") === null)(`curl gets the file from the ${kind} server`, async () => {
    for (const { curl } of [profile, panel, screen]) await output(["sh", "-c", curl!]);
    const bars = await Bun.file(`${folder.path}/AAPL-1d-bars.csv`).text();
    expect(bars).toStartWith("timestamp,open,high,low,close,volume\n2025-");
    expect(await Bun.file(`${folder.path}/panel-1d.csv`).text()).toStartWith("symbol,timestamp,open");
    const listed = (await Bun.file(`${folder.path}/profiles.csv`).text()).split("\r\n");
    expect(listed[0]).toBe("symbol,interval,provider,health,first_bar,last_bar,rsi_14,rank(rsi_14)");
    expect(
      listed
        .slice(1, -1)
        .map((line) => line.split(",")[0])
        .toSorted(),
    ).toEqual(["AAPL", "MSFT"]);
  });

  /** The rows that the command reads from the three pages, each counted in the same process. */
  async function rowsRead(title: string): Promise<number[]> {
    const script = [profile, panel, screen].map((commands) => `${commands[title]}\nprint(len(frame))`).join("\n");
    return (await output([PYTHON!, "-B", "-W", "ignore", "-c", script])).split("\n").map(Number);
  }

  for (const [title, packages] of [
    ["Python", []],
    ["pandas", ["pandas", "pyarrow"]],
    ["polars", ["polars"]],
  ] as const) {
    const isMissing = PYTHON === null || packages.some((name) => !PACKAGES.has(name));
    const needs = ["python3", ...packages].join(", ");
    test.skipIf(isMissing)(`${title} reads what pages of the ${kind} server show (needs ${needs})`, async () => {
      const answer = await fetch(`${app.url}/api/bars/AAPL`, { headers: AUTHORIZED });
      const { data } = (await answer.json()) as { data: unknown[] };
      const [bars, rows, listed] = await rowsRead(title);
      expect(listed).toBe(2);
      expect(bars).toBe(data.length);
      expect(rows).toBeGreaterThan(2 * 200);
    });
  }

  test.skipIf(!PACKAGES.has("pandas"))(`pandas reads a screen of the ${kind} server`, async () => {
    const script = `${screen.pandas}\nprint(len(frame), *frame.columns[-2:])`;
    expect(await output([PYTHON!, "-B", "-W", "ignore", "-c", script])).toBe("2 rsi_14 rank(rsi_14)");
  });

  test.skipIf(Bun.which("duckdb") === null)(`DuckDB reads from the ${kind} server`, async () => {
    expect(await output(["sh", "-c", profile.DuckDB!])).toContain("timestamp");
    expect(await output(["sh", "-c", screen.DuckDB!])).toContain("rsi_14");
  });

  test.skipIf(Bun.which("Rscript") === null)(`R reads from the ${kind} server`, async () => {
    expect(await output(["Rscript", "-e", `${screen.R}; cat(nrow(frame), names(frame)[7])`])).toEndWith("2 rsi_14");
    const fetched = profile.R!.split("\n")[0]!;
    await output(["Rscript", "-e", fetched]);
    expect(await Bun.file(`${folder.path}/AAPL-1d-bars.parquet`).exists()).toBe(true);
  });
});
