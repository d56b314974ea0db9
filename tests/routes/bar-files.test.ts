import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Refusal } from "../../src/domain/errors.ts";
import { SpillFile } from "../../src/pipeline/exports/spill-file.ts";
import { storeNew, Uploads } from "../../src/routes/companies/uploads.ts";
import { startApp, type TestApp } from "../helpers/app.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { ask, formOf } from "../helpers/http.ts";

let app: TestApp;
let folder: Folder;
beforeAll(async () => {
  folder = temporaryFolder();
  app = await startApp({ env: { BARKEEP_CSV_DIR: folder.path } });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const days = ["2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"];
const GERMAN = `Datum;Open;High;Low;Close;Volumen\n${days
  .map((day) => `${day.split("-").reverse().join(".")};10,5;12;9,25;11;1.000`)
  .join("\n")}\n31.10.2026;10,5;12;9,25;x;5\n`;

async function check(name: string, text: string | Uint8Array<ArrayBuffer>, more: Record<string, string> = {}) {
  const form = new FormData();
  form.append("file", new File([text], name));
  for (const [field, value] of Object.entries(more)) form.append(field, value);
  const { status, text: html } = await ask(`${app.url}/files`, { method: "POST", body: form });
  return { status, html, id: /name="id" value="([^"]+)"/.exec(html)?.[1] ?? "" };
}

const importFile = (id: string) => fetch(`${app.url}/files/import`, formOf({ id }));

test("a file of bars is shown as it is understood, with what is refused, before anything is stored", async () => {
  const { status, html } = await check("DETX.csv", GERMAN);
  expect(status).toBe(200);
  for (const part of [
    "4 bars from 5 rows",
    "day-first",
    "comma",
    "<td>2026-11-02</td>",
    "<td>2026-11-05</td>",
    "9.25",
  ]) {
    expect(html).toContain(part);
  }
  expect(html).toContain("1 of 5 rows rejected, line 6: close &quot;x&quot; is not a number");
  expect(existsSync(join(folder.path, "DETX-1d.csv"))).toBe(false);
});

test("an uploaded file that unpacks to more than 200 MB is refused", async () => {
  // One archive of many parts.
  const part = gzipSync(`${"x".repeat(2 ** 16 - 1)}\n`.repeat(16));
  const content = Buffer.concat([gzipSync("date,open,high,low,close\n"), ...Array(201).fill(part)]);
  expect(content.length).toBeLessThan(2 ** 20);
  const { status, html } = await check("BOMB.csv.gz", new Uint8Array(content));
  expect(status).toBe(422);
  expect(html).toContain("BOMB.csv.gz unpacks to more than 200 MB");
});

test("the check of a file leaves out bars that an import would reject, and names an unknown volume", async () => {
  const rows = ["2026-11-02,1,2,0.5,1", "2026-11-03,1,0.4,0.5,1", "2026-11-04,1,2,0.5,1"].join("\n");
  const { html } = await check("DETV.csv", `date,open,high,low,close\n${rows}\n`);
  expect(html).toContain("2 bars from 3 rows");
  expect(html).toContain("1 bar rejected, of 2026-11-03T00:00:00.000Z: the high is below the low");
  expect(html).toContain("Import 2 bars as DETV 1d");
  expect([html.includes('<td class="num">unknown</td>'), html.includes("NaN")]).toEqual([true, false]);
});

test("a checked file is imported once, and its run stores the bars", async () => {
  const { id } = await check("anything.csv", GERMAN, { symbol: "detx", interval: "1d" });
  expect((await importFile(id)).status).toBe(303);
  expect(existsSync(join(folder.path, "DETX-1d.csv"))).toBe(true);
  const { body } = await app.get("/api/runs");
  const { run } = await app.waitForRun(body.runs[0].id, "complete");
  expect(run.provider).toBe("files");
  const bars = await app.get("/api/bars/DETX?provider=csv");
  expect(bars.body.data.map(({ close }: { close: number }) => close)).toEqual([11, 11, 11, 11]);
  expect((await importFile(id)).status).toBe(422);

  const again = await check("DETX.csv", GERMAN);
  const refused = await importFile(again.id);
  expect([
    refused.status,
    (await refused.text()).includes("DETX-1d.csv is in the folder of BARKEEP_CSV_DIR already"),
  ]).toEqual([422, true]);
});

test("an import whose run is refused leaves no file behind, and can be made again", async () => {
  const { id } = await check("DETY.csv", GERMAN);
  const blocking = await app.start({ symbols: ["DETY"], interval: "1d", years: 1 });
  await app.post(`/api/runs/${blocking}/pause`);
  const refused = await importFile(id);
  expect([refused.status, existsSync(join(folder.path, "DETY-1d.csv"))]).toEqual([422, false]);
  await app.post(`/api/runs/${blocking}/cancel`);
  expect((await importFile(id)).status).toBe(303);
});

test.each([
  ["no file", "", "", {}, "Choose a file"],
  ["a name without a symbol", "my bars!.csv", GERMAN, {}, "names no symbol: enter the symbol"],
  [
    "dates of two readings",
    "DETX.csv",
    GERMAN.replace(/^(?!Datum).*$/gm, "04/06/2026;1;1;1;1;1"),
    {},
    "4 June or 6 April",
  ],
  ["rows of another interval", "DETX-1h.csv", GERMAN.repeat(6), {}, "are no 1h bars"],
])("the check of a file says what is wrong with %s", async (_title, name, text, more, message) => {
  const { status, html } = await check(name, text, more);
  expect([status, html.includes(message)]).toEqual([422, true]);
});

test("a file that cannot be stored whole is not stored at all, and one that is there stays", async () => {
  using place = temporaryFolder();
  const [from, to] = [join(place.path, "upload"), join(place.path, "AAPL-1d.csv")];
  await Bun.write(from, "x".repeat(1_000_000));
  const module = JSON.stringify(join(import.meta.dir, "../../src/routes/companies/uploads.ts"));
  const script = `await (await import(${module})).storeNew(${JSON.stringify(from)}, ${JSON.stringify(to)})`;
  // As a full disk: no file may become larger than 64 KB.
  const limited = Bun.spawn(["bash", "-c", 'ulimit -f 64; exec "$0" -e "$1"', process.execPath, script], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  expect(await limited.exited).not.toBe(0);
  expect(existsSync(to)).toBe(false);
  await storeNew(from, to);
  expect(Bun.file(to).size).toBe(1_000_000);
  await Bun.write(from, "y");
  expect(await storeNew(from, to).catch((error: NodeJS.ErrnoException) => error.code)).toBe("EEXIST");
  expect([Bun.file(to).size, existsSync(`${to}.part`)]).toEqual([1_000_000, false]);
});

test("a profile shows exchange time on the clock of its own exchange", async () => {
  const rows = days.map((day) => `${day},1,2,0.5,1,10`).join("\n");
  const { id } = await check("7203@TSE.csv", `timestamp,open,high,low,close,volume\n${rows}\n`);
  expect((await importFile(id)).status).toBe(303);
  const { body } = await app.get("/api/runs");
  await app.waitForRun(body.runs[0].id, "complete");
  const { text } = await ask(`${app.url}/profiles/7203@TSE`, { headers: { Cookie: "barkeep-zone=exchange" } });
  expect(text).toContain('data-time-zone="Asia/Tokyo"');
  expect(text).toContain("Tokyo time");
});

test("of many files that come at once each is kept, or refused with what to do", async () => {
  const uploads = new Uploads();
  const file = new File([GERMAN], "DETZ.csv");
  const answers = await Promise.allSettled(Array.from({ length: 40 }, () => uploads.keep(file, "DETZ", "1d")));
  const faults = answers.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  expect(faults.filter((each) => !(each instanceof Refusal))).toEqual([]);
  uploads.close();
});

test("files that wait for their import go with the server, the oldest of nine before", async () => {
  const uploads = new Uploads();
  const file = new File([GERMAN], "DETZ.csv");
  const kept: Awaited<ReturnType<Uploads["keep"]>>[] = [];
  while (kept.length < 9) kept.push(await uploads.keep(file, "DETZ", "1d"));
  const stored = kept.map(([, { folder }]) => existsSync(folder));
  expect(stored.filter(Boolean).length).toBe(8);
  expect(uploads.find(kept[8]![0])).toBeDefined();
  uploads.close();
  expect(kept.some(([, { folder }]) => existsSync(folder))).toBe(false);
  expect(uploads.find(kept[8]![0])).toBeUndefined();
});

test("where no temporary file can be written, an upload and an export are refused in words", async () => {
  const before = process.env.TMPDIR;
  using own = temporaryFolder();
  const words = /^No temporary file can be written \(ENOENT.*look at TMPDIR and its disk$/;
  process.env.TMPDIR = join(own.path, "missing");
  try {
    const form = new FormData();
    form.append("file", new File([GERMAN], "DETX.csv"));
    const { status, body, text } = await ask(`${app.url}/files`, { method: "POST", body: form });
    expect([status, body?.detail ?? text]).toEqual([503, expect.stringMatching(words)]);
    using spill = new SpillFile();
    expect(() => spill.append(new Uint8Array(1))).toThrow(words);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
});
