/** The promises page and its forms, as browsers without JavaScript use them. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { type PlainForm, readForm } from "../../helpers/http.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ clock: new VirtualClock() });
});
afterAll(() => app[Symbol.asyncDispose]());

const form = (over: Record<string, string> = {}) =>
  new URLSearchParams({
    ...{ name: "Mornings", by_time: "07:00", time_zone: "America/New_York", days: "trading_days", venue: "us_equity" },
    ...{ scope: "symbols", symbols: "AAPL, MSFT", watchlist_id: "", interval: "1d", provider: "", enabled: "on" },
    ...{ max_gaps: "2", gap_days: "30", warn_hours: "6", ...over },
  });
const send = (path: string, body: URLSearchParams, headers: Record<string, string> = {}) =>
  fetch(`${app.url}${path}`, { method: "POST", body, redirect: "manual", headers: { Origin: app.url, ...headers } });
const submit = (path: string, over?: Record<string, string>, headers?: Record<string, string>) =>
  send(path, form(over), headers);

test("a promise is added, shown, changed, paused, enabled and deleted with plain forms", async () => {
  expect((await submit("/promises")).headers.get("location")).toBe("/promises");
  const { id } = (await app.get("/api/promises")).body.promises[0];
  const { text } = await app.get("/promises");
  expect(text).toContain("Fresh by 07:00 in America/New_York on trading days of New York");
  expect(text).toContain("AAPL, MSFT · 1d · any provider · at most 2 gaps in 30 days");
  expect(text).toContain("Will be missed");
  expect(text).toContain("0 of 2 fresh, 2 missing");

  const { text: open } = await app.get(`/promises/${id}`);
  expect(open).toContain('value="Mornings"');
  expect(open).toContain("Save promise");
  await submit(`/promises/${id}`, { name: "Evenings", days: "weekdays", by_time: "19:00" });
  await submit(`/promises/${id}/pause`);
  expect((await app.get("/promises")).text).toContain("No deadlines while it is paused");
  await submit(`/promises/${id}/resume`);
  expect((await app.get("/promises")).text).toContain("Fresh by 19:00 in America/New_York from Monday to Friday");
  expect((await app.get(`/promises/${id}/delete`)).text).toContain("Delete Evenings?");
  await submit(`/promises/${id}/delete`);
  expect((await app.get("/promises")).text).toContain("No promise yet");
  expect((await app.get(`/promises/${id}`)).status).toBe(404);
});

test("a refused form is shown again with what was typed, and each fault at its field", async () => {
  const response = await submit("/promises", { name: "", by_time: "seven", symbols: "A$$", gap_days: "many" });
  const page = await response.text();
  expect(response.status).toBe(422);
  expect(page).toContain('value="seven"');
  for (const field of ["name", "by_time", "symbols", "gap_days"]) expect(page).toContain(`id="promise-${field}-error"`);
  expect((await app.get("/api/promises")).body.promises).toEqual([]);
});

test("a preview says what a promise means now and stores nothing, as a fragment and as a page", async () => {
  const fragment = await submit("/promises/preview", {}, { "HX-Request": "true" });
  const text = await fragment.text();
  expect(text).toContain("The next deadline is");
  expect(text).toContain("0 of 2 fresh, 2 missing");
  expect(text).not.toContain("<html");
  const page = await (await submit("/promises/preview", { name: "Typed" })).text();
  expect(page).toContain('value="Typed"');
  expect(page).toContain("no run is planned before the deadline");
  const unfinished = await submit("/promises/preview", { symbols: "" }, { "HX-Request": "true" });
  expect(await unfinished.text()).toContain("Name symbols or choose a watchlist");
  const typed = { by_time: "7", gap_days: "x" };
  const wrong = await (await submit("/promises/preview", typed, { "HX-Request": "true" })).text();
  expect(wrong).toContain("Fresh by: &quot;7&quot; is not a time like 07:00.");
  expect(wrong).toContain("Days searched for gaps: Wants a whole number from 1 to");
  const refused = await (await submit("/promises/preview", typed)).text();
  for (const field of ["by_time", "gap_days"]) expect(refused).toContain(`id="promise-${field}-error"`);
  expect(refused).not.toContain('id="promise-name-error"');
  expect((await app.get("/api/promises")).body.promises).toEqual([]);
});

test("the form as the page has it previews without scripts, keeps what was typed, and adds the promise", async () => {
  const press = (form: PlainForm, button: string) => {
    const { path, body } = form.press(button);
    return send(path, body);
  };
  const form = await readForm((await app.get("/promises")).text, "#promise-form");
  form.fill("name", "Plain");
  form.fill("symbols", "AAPL");
  const previewed = await (await press(form, "Preview")).text();
  expect(previewed).toContain("0 of 1 fresh, 1 missing");
  const again = await readForm(previewed, "#promise-form");
  expect([...again.fields]).toEqual([...form.fields]);
  expect((await press(again, "Add promise")).headers.get("location")).toBe("/promises");
  const [promise] = (await app.get("/api/promises")).body.promises;
  expect([promise.name, promise.symbols]).toEqual(["Plain", ["AAPL"]]);
  await submit(`/promises/${promise.id}/delete`);
});

test("the monitor shows the promises whose deadline is near, the most urgent first", async () => {
  const near = { time_zone: "UTC", days: "every_day", by_time: "13:00" };
  await submit("/promises", { name: "Stored", scope: "stored", ...near });
  await submit("/promises", { name: "Coins", symbols: "BTC-USD", ...near });
  const { text } = await app.get("/");
  const panel = text.slice(text.indexOf('id="promises"'), text.indexOf('id="quota"'));
  // What is about nothing is not known.
  expect(panel.indexOf(">Coins<")).toBeGreaterThan(0);
  expect(panel.indexOf(">Stored<")).toBeGreaterThan(panel.indexOf(">Coins<"));
  expect(panel).toContain("1 symbol: no run is planned before the deadline");
  expect(panel).toContain('class="burn-down burn-down-will_be_missed"');
});

test("marks and words of past deadlines differ by what came of them", async () => {
  const { id } = (await app.get("/api/promises")).body.promises[0];
  const results = [
    ["kept", 2, 0, 0, ""],
    ["missed", 1, 1, 0, "1 symbol of 2 lacked the last bar"],
    ["unknown", 1, 0, 1, "no calendar"],
  ] as const;
  await app.app.db.write(
    results.map(([outcome, fresh, missing, unknown, note], day) => ({
      sql: `INSERT INTO promise_results (promise_id, deadline, outcome, judged_at, total, fresh, missing, unknown, gaps, note)
        VALUES (?1, ?2, ?3, ?2, 2, ?4, ?5, ?6, 0, ?7)`,
      args: [id, Date.UTC(2026, 0, 1 + day, 12), outcome, fresh, missing, unknown, note],
    })),
  );
  const { text } = await app.get("/promises");
  expect(text).toContain("Last 3 deadlines: 1 kept, 1 missed, 1 not known");
  expect(text).toContain('aria-label="Missed, 2026-01-02 12:00 UTC: 1 symbol of 2 lacked the last bar"');
  const marks = [...text.matchAll(/class="turn result-\w+"[^>]*><path d="([^"]+)"/g)].map(([, path]) => path);
  expect(new Set(marks).size).toBe(3);
});
