import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { ask, formOf } from "../../helpers/http.ts";

setDefaultTimeout(60_000);

let app: TestApp;
const AT = Date.UTC(2026, 2, 2, 4, 2, 11);
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
  const sql = "insert into audit (at, actor, action, subject) values (?, 'ada', 'x', 'y')";
  await app.app.db.write([{ sql, args: [AT] }]);
});
afterAll(() => app[Symbol.asyncDispose]());

const choose = (path: string, fields: Record<string, string>) => fetch(app.url + path, formOf(fields));
const seen = async (cookie: string) => (await ask(`${app.url}/audit`, { headers: { Cookie: cookie } })).text;

test("the time zone is chosen once and applies to every page", async () => {
  const answer = await choose("/zone", { zone: "exchange", back: "/audit?actor=ada" });
  expect([answer.status, answer.headers.get("Location")]).toEqual([303, "/audit?actor=ada"]);
  const cookie = answer.headers.get("Set-Cookie")!.split(";")[0]!;
  const page = await seen(cookie);
  expect(page).toContain('<html lang="en" data-theme="system" data-scope="admin" data-zone="exchange"');
  expect(page).toContain(
    '<time class="num" datetime="2026-03-02T04:02:11.000Z" data-moment="column" title="2026-03-02 04:02:11 UTC">2026-03-01 23:02</time>',
  );
  expect(page).toMatch(/name="zone" value="exchange" aria-pressed="true"/);
});

test("the reader's own zone is the one the browser sends, and UTC until it has", async () => {
  expect(await seen("barkeep-zone=local; barkeep-local-zone=Asia%2FKolkata")).toContain(">2026-03-02 09:32<");
  for (const told of ["", "; barkeep-local-zone=Mars%2FOlympus", "; barkeep-local-zone=%3Cscript%3E"]) {
    const page = await seen(`barkeep-zone=local${told}`);
    expect(page).toContain('data-zone="local" data-base="/" data-time-zone="UTC"');
    expect(page).toContain(">2026-03-02 04:02<");
  }
});

test("only offered preferences can be chosen, and the way back stays on this server", async () => {
  expect((await choose("/zone", { zone: "mars" })).status).toBe(422);
  expect((await choose("/theme", { theme: "pink" })).status).toBe(422);
  const { headers } = await choose("/theme", { theme: "dark", back: "//evil.example" });
  expect([headers.get("Location"), headers.get("Set-Cookie")]).toEqual(["/", expect.stringContaining("=dark;")]);
});
