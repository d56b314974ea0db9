import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { storeCompanies } from "../../src/storage/companies/companies.ts";
import { startApp, type TestApp } from "../helpers/app.ts";
import { ask } from "../helpers/http.ts";

setDefaultTimeout(60_000);

let app: TestApp;
let runId: string;
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
  runId = await app.start({ symbols: ["AAPL"], years: 1 });
  await app.waitForRun(runId, "complete");
  const company = (symbol: string, name: string) => ({ symbol, name, exchange: "NASDAQ" });
  await storeCompanies(app.app.db, [company("AAPL", "Apple Inc"), company("APP", "AppLovin <b>")], "import");
  await app.post("/api/schedules", { name: "Every evening", cron: "30 18 * * 1-5", symbols: ["AAPL"] });
});
afterAll(() => app[Symbol.asyncDispose]());

/** Title and target of every entry, in order. */
async function found(query: string, at = app): Promise<string[]> {
  const { text } = await at.get(`/search?q=${encodeURIComponent(query)}`);
  const entries = text.matchAll(
    /<(?:a|button) class="found"[^>]*?(?:href|formaction)="([^"]*)"[^>]*>(.*?)<\/(?:a|button)>/gs,
  );
  return [...entries].map(([, target, words]) => `${/found-title">(.*?)</.exec(words!)![1]} → ${target}`);
}

describe("a search", () => {
  test("a search finds symbols by prefix or name: profiles first, then what could be started", async () => {
    expect(await found("ap")).toEqual([
      "AAPL Apple Inc → /profiles/AAPL?interval=1d",
      "APP AppLovin &lt;b&gt; → /?symbols=APP",
      "AP → /?symbols=AP",
      "Access and tokens → /settings/access",
      "API documentation → /api/docs",
    ]);
    expect(await found("aapl")).toContain(`AAPL in Full · 1d · 1 year · demo → /runs/${runId}/jobs/AAPL`);
    expect(await found("brk.b")).toEqual(["BRK.B → /?symbols=BRK.B"]);
  });

  test("a search finds pages, runs, schedules and actions by the words of their names", async () => {
    expect(await found("sched")).toContain("Schedules → /schedules");
    expect(await found("slack")).toContain("Alert channels → /alerts/channels");
    expect(await found("backups")).toContain("Backups → /settings#backups");
    expect(await found("token")).toContain("Access and tokens → /settings/access");
    expect(await found("full 1d complete")).toEqual([`Full · 1d · 1 year · demo → /runs/${runId}`]);
    expect(await found("evening run")).toEqual([expect.stringMatching(/^Every evening → .schedules.\d+$/)]);
    expect(await found("dark theme")).toEqual(["Dark theme → /theme"]);
  });

  test("a search for nothing shows where one can go, what ran last and what can be done", async () => {
    const all = await found("");
    expect(all[0]).toBe("Monitor → /");
    expect(all).toContain(`Full · 1d · 1 year · demo → /runs/${runId}`);
    expect(all).toContain("Times in New York time → /zone");
  });

  test("a search without results says so, and shows what was typed as text", async () => {
    const { text } = await app.get(`/search?q=${encodeURIComponent('"><img src=x onerror=alert(1)>')}`);
    expect(text).toContain("Nothing is called that");
    expect(text).not.toContain("<img");
  });

  test("a search in the palette is a list box that leads back to the page behind it", async () => {
    const headers = { "HX-Request": "true", "HX-Current-URL": `${app.url}/runs?state=failed` };
    const { text } = await ask(`${app.url}/search?q=dark`, { headers });
    expect(text).toStartWith('<form method="post"');
    expect(text).toContain('name="back" value="/runs?state=failed"');
    expect(text.match(/role="option"/g)).toHaveLength(2); // the symbol DARK and the theme
    expect(text).toContain('id="found-1" role="option" aria-selected="false"');
  });

  test("a search offers the read scope nothing that it may not do", async () => {
    await using guarded = await startApp({ env: { BARKEEP_READ_ONLY: "true", BARKEEP_WORKERS: "1" } });
    const entries = (await found("a", guarded)).join();
    expect(entries).toContain("Alerts → /alerts");
    expect(entries).not.toMatch(/Audit|tokens|symbols=/);
  });
});
