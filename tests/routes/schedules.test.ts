import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startApp, type TestApp } from "../helpers/app.ts";
import { ask } from "../helpers/http.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const list = async () => (await app.get("/api/schedules")).body.schedules;
const pathsOf = (body: { errors?: { path: string }[] }) => body.errors?.map(({ path }) => path).toSorted();

test("the first start has one schedule: after the US close on weekdays, disabled", async () => {
  const [first, ...others] = await list();
  expect(others).toEqual([]);
  expect(first).toMatchObject({
    name: "After the US close",
    cron: "30 18 * * 1-5",
    time_zone: "America/New_York",
    words: "At 18:30, Monday through Friday",
    scope: "stored",
    interval: "1d",
    mode: "incremental",
    provider: null,
    enabled: false,
    last_turn: null,
  });
  expect(first.next_runs).toHaveLength(5);
});

describe("a schedule over the API", () => {
  test("a schedule over the API is made, read, changed, run and deleted", async () => {
    const made = await app.post("/api/schedules", {
      name: "Nightly",
      cron: "0 30 2 * * *",
      time_zone: "Europe/Berlin",
      symbols: ["aapl", "MSFT", "AAPL"],
      years: 1,
      enabled: false,
    });
    expect(made.status).toBe(201);
    const { id } = made.body.schedule;
    expect(made.body.schedule).toMatchObject({
      scope: "symbols",
      symbols: ["AAPL", "MSFT"],
      mode: "incremental",
      on_missed: "catch_up",
    });
    const path = `/api/schedules/${id}`;
    expect((await app.get(path)).body).toEqual(made.body);
    const next = made.body.schedule.next_runs.map((at: string) => Date.parse(at));
    expect(next).toHaveLength(5);
    expect(next).toEqual(next.toSorted());

    const changed = await app.send("PATCH", path, { cron: "0 9 * * *", mode: "full", on_missed: "skip" });
    expect(changed.status).toBe(200);
    expect(changed.body.schedule).toMatchObject({
      name: "Nightly",
      cron: "0 9 * * *",
      words: "At 09:00",
      mode: "full",
      on_missed: "skip",
      symbols: ["AAPL", "MSFT"],
    });

    const run = await app.post(`${path}/run`);
    expect(run.status).toBe(202);
    expect(run.body.turn).toMatchObject({ cause: "by_hand", outcome: "started" });
    expect(run.body.schedule.next_runs).toHaveLength(5);
    await app.waitForRun(run.body.turn.run_id, "complete");
    const { last_turn } = (await app.get(path)).body.schedule;
    expect(last_turn).toMatchObject({ run_id: run.body.turn.run_id, run_status: "complete", complete: 2, failed: 0 });

    expect((await app.send("DELETE", path)).status).toBe(204);
    expect((await app.get(path)).status).toBe(404);
    expect((await app.send("DELETE", path)).status).toBe(404);
    // The run stays.
    expect((await app.get(`/api/runs/${run.body.turn.run_id}`)).status).toBe(200);
  });

  test("a schedule is refused with every fault at its field, and nothing is stored", async () => {
    const before = await list();
    const { status, type, body } = await app.post("/api/schedules", {
      name: " ",
      cron: "99 * * * *",
      time_zone: "Mars/Olympus",
      symbols: ["no way"],
      interval: "2h",
      years: 99,
      on_missed: "panic",
    });
    expect([status, type]).toEqual([422, "application/problem+json"]);
    expect(pathsOf(body)).toEqual(["interval", "name", "on_missed", "symbols.0", "years"]);
    expect(await list()).toEqual(before);
  });

  test.each([
    [{ cron: "99 * * * *" }, "cron"],
    [{ cron: "0 0 30 2 *" }, "cron"],
    [{ time_zone: "+02:00" }, "time_zone"],
    [{ symbols: [] }, "symbols"],
    [{ symbols: undefined }, "symbols"],
    [{ symbols: undefined, scope: "watchlist" }, "watchlist_id"],
    [{ symbols: undefined, watchlist_id: 999 }, "watchlist_id"],
    [{ provider: "nobody" }, "provider"],
    [{ provider: "tiingo" }, "provider"],
    [{ timezone: "UTC" }, ""],
  ])("%j is refused at %p", async (wrong, path) => {
    const order = { name: "Wrong", cron: "0 9 * * *", symbols: ["AAPL"], ...wrong };
    const { status, body } = await app.post("/api/schedules", order);
    expect(status).toBe(422);
    expect(pathsOf(body)).toEqual([path]);
  });

  test("a schedule that names symbols and a watchlist is refused unless its scope says which counts", async () => {
    const { body: watchlist } = await app.post("/api/watchlists", { name: "Both", symbols: ["MSFT"] });
    const order = { name: "Both", cron: "0 9 * * *", symbols: ["AAPL"], watchlist_id: watchlist.id, enabled: false };
    const made = await app.post("/api/schedules", order);
    expect([made.status, pathsOf(made.body)]).toEqual([422, ["watchlist_id"]]);
    const { body } = await app.post("/api/schedules", { ...order, scope: "watchlist" });
    expect(body.schedule).toMatchObject({ scope: "watchlist", symbols: [], watchlist_id: watchlist.id });
    const path = `/api/schedules/${body.schedule.id}`;
    const both = { symbols: ["AAPL"], watchlist_id: watchlist.id };
    expect((await app.send("PATCH", path, both)).status).toBe(422);
    expect((await app.send("PATCH", path, { symbols: ["AAPL"] })).body.schedule).toMatchObject({ scope: "symbols" });
    await app.send("DELETE", path);
  });

  test("a schedule as it was read can be made again under another name and sent back as a change", async () => {
    const list = await app.post("/api/watchlists", { name: "Kept", symbols: ["AAPL"] });
    const common = { cron: "0 9 * * *", enabled: false };
    for (const chosen of [{ symbols: ["AAPL"] }, { watchlist_id: list.body.id }, { scope: "stored" }]) {
      const made = await app.post("/api/schedules", { name: "First", ...common, ...chosen });
      const { schedule } = (await app.get(`/api/schedules/${made.body.schedule.id}`)).body;
      const { id, ...copy } = (await app.post("/api/schedules", { ...schedule, name: "Copy" })).body.schedule;
      expect({ ...copy, name: "First", id: schedule.id }).toEqual(schedule);
      expect(id).not.toBe(schedule.id);
      const sent = await app.send("PATCH", `/api/schedules/${schedule.id}`, schedule);
      expect([sent.status, sent.body.schedule]).toEqual([200, schedule]);
      for (const each of [id, schedule.id]) await app.send("DELETE", `/api/schedules/${each}`);
    }
    const refused = await app.post("/api/schedules", { name: "Other", ...common, symbols: ["AAPL"], next_run: "now" });
    expect([refused.status, refused.body.detail]).toEqual([422, 'unknown field "next_run"']);
  });

  test("a schedule's name is unique", async () => {
    const order = { cron: "0 9 * * *", symbols: ["AAPL"], enabled: false };
    const { body } = await app.post("/api/schedules", { ...order, name: "Twin" });
    const second = await app.post("/api/schedules", { ...order, name: "TWIN" });
    expect([second.status, pathsOf(second.body)]).toEqual([409, ["name"]]);
    await app.send("DELETE", `/api/schedules/${body.schedule.id}`);
  });

  test("a schedule may be paused even when it could no longer be saved", async () => {
    const watchlist = (await app.post("/api/watchlists", { name: "Short-lived", symbols: ["AAPL"] })).body;
    const made = await app.post("/api/schedules", { name: "Orphan", cron: "0 9 * * *", watchlist_id: watchlist.id });
    await app.send("DELETE", `/api/watchlists/${watchlist.id}`);
    const path = `/api/schedules/${made.body.schedule.id}`;
    expect((await app.send("PATCH", path, { name: "Renamed" })).status).toBe(422);
    expect((await app.send("PATCH", path, { enabled: false })).body.schedule.enabled).toBe(false);
    expect((await app.post(`${path}/run`)).body.detail).toContain("Its watchlist was deleted");
    expect((await app.send("PATCH", path, { symbols: ["AAPL"] })).body.schedule.scope).toBe("symbols");
    await app.send("DELETE", path);
  });
});

describe("the page", () => {
  const html = { Accept: "text/html" };
  const page = (path = "/schedules") => ask(app.url + path, { headers: html });
  const submit = (path: string, fields: Record<string, string>) =>
    ask(app.url + path, { method: "POST", body: new URLSearchParams(fields), headers: html, redirect: "manual" });
  const fields = {
    name: "From the form",
    cron: "30 18 * * 1-5",
    time_zone: "America/New_York",
    scope: "symbols",
    symbols: "aapl, msft",
    watchlist_id: "",
    interval: "1d",
    provider: "",
    mode: "incremental",
    years: "2",
    on_missed: "catch_up",
  };

  test("the schedules page explains each schedule in words, with its next runs in its own zone and in UTC", async () => {
    const { status, text } = await page();
    expect(status).toBe(200);
    expect(text).toContain("At 18:30, Monday through Friday");
    expect(text).toContain("America/New_York");
    const table = /<table class="next-runs".*?<\/table>/s.exec(text)![0];
    expect(table.match(/18:30 E[SD]T/g)?.length).toBe(5);
    expect(text.match(/2[23]:30 UTC/g)?.length).toBe(5);
    expect(text).toContain("Paused");
  });

  test("the schedules page shows the seconds of an expression that names them", async () => {
    const order = { name: "To the second", cron: "15 30 18 * * *", symbols: ["AAPL"], enabled: false };
    const { id } = (await app.post("/api/schedules", order)).body.schedule;
    const { text } = await page();
    expect(text).toContain("At 18:30:15");
    expect(text.match(/18:30:15 UTC<\/td>/g)?.length).toBe(5);
    await app.send("DELETE", `/api/schedules/${id}`);
  });

  test("the schedules page takes a schedule, shows it, pauses and resumes it, runs it, asks before it deletes it", async () => {
    const made = await submit("/schedules", fields);
    expect([made.status, made.headers.get("Location")]).toEqual([303, "/schedules"]);
    const [schedule] = (await list()).filter(({ name }: { name: string }) => name === fields.name);
    expect(schedule).toMatchObject({ symbols: ["AAPL", "MSFT"], enabled: false, provider: null });
    const path = `/schedules/${schedule.id}`;
    const edit = await page(path);
    expect(edit.text).toContain('value="From the form"');
    expect(edit.text).toContain("AAPL, MSFT");

    expect((await submit(`${path}/resume`, {})).status).toBe(303);
    expect((await app.get(`/api${path}`)).body.schedule.enabled).toBe(true);
    await submit(`${path}/pause`, {});
    expect((await app.get(`/api${path}`)).body.schedule.enabled).toBe(false);

    await submit(path, { ...fields, cron: "0 7 * * *", enabled: "on" });
    expect((await app.get(`/api${path}`)).body.schedule).toMatchObject({ cron: "0 7 * * *", enabled: true });

    const run = await submit(`${path}/run`, {});
    expect(run.status).toBe(303);
    const { run_id } = (await app.get(`/api${path}`)).body.schedule.last_turn;
    await app.waitForRun(run_id, "complete");
    const shown = (await page()).text;
    expect(shown).toContain('aria-label="Last 1 run of From the form');
    expect(shown).toMatch(new RegExp(`<a href="/runs/${run_id}" title="Complete, [^"]+: 2 symbols complete in `));

    const question = await page(`${path}/delete`);
    expect(question.text).toContain("Delete From the form?");
    expect((await app.get(`/api${path}`)).status).toBe(200);
    expect((await submit(`${path}/delete`, {})).status).toBe(303);
    expect((await app.get(`/api${path}`)).status).toBe(404);
  });

  test("the schedules page keeps what was typed and shows each fault at its field", async () => {
    const { status, text } = await submit("/schedules", {
      ...fields,
      name: "<Odd>",
      cron: "99 * * * *",
      symbols: "$$",
    });
    expect(status).toBe(422);
    expect(text).toContain("&lt;Odd&gt;");
    expect(text).toContain("99 * * * *");
    expect(text).toMatch(
      /id="schedule-cron-error"[^>]*>Minute &quot;99&quot; cannot be read: wants numbers from 0 to 59/,
    );
    expect(text.match(/Minute &quot;99&quot;/g)).toHaveLength(1);
    expect(text).toMatch(/id="schedule-symbols-error"[^>]*>"\$\$" is not a symbol|&quot;\$\$&quot; is not a symbol/);
    expect(text).toMatch(/<input[^>]*id="schedule-cron"[^>]*aria-describedby="schedule-cron-error"/);
  });

  test("the schedules page says why a schedule cannot run now", async () => {
    await submit("/schedules", { ...fields, name: "Nothing to run", scope: "stored", interval: "15m" });
    const [{ id }] = (await list()).filter(({ name }: { name: string }) => name === "Nothing to run");
    const { status, text } = await submit(`/schedules/${id}/run`, {});
    expect(status).toBe(409);
    expect(text).toContain("There is no stored 15m profile from demo to bring up to date");
    expect((await page("/schedules/999")).status).toBe(404);
    expect((await page("/schedules/x")).status).toBe(404);
    await app.send("DELETE", `/api/schedules/${id}`);
  });
});

test("the preview says what an expression means, with its next five times, or why it is refused", async () => {
  const preview = async (cron: string, time_zone = "UTC") => {
    const response = await fetch(`${app.url}/schedules/preview`, {
      method: "POST",
      body: new URLSearchParams({ cron, time_zone }),
    });
    return response.text();
  };
  const daily = await preview("30 18 * * 1-5");
  expect(daily).toContain("At 18:30, Monday through Friday in UTC");
  expect(daily.match(/<li>/g)).toHaveLength(5);
  for (const [cron, zone, reason] of [
    ["0 25 * * *", "UTC", "hour"],
    ["* * * * * *", "UTC", "more often than once a minute"],
    ["0 0 31 2 *", "UTC", "never comes"],
    ["soon", "UTC", "five parts"],
    ["0 9 * * *", "Mars", "not a time zone"],
  ] as const) {
    expect((await preview(cron, zone)).toLowerCase()).toContain(reason);
    expect(await preview(cron, zone)).toContain('class="error"');
  }
});

test("a usual time fills the form, keeps what was typed, and stores nothing", async () => {
  const before = (await list()).length;
  const response = await fetch(`${app.url}/schedules/preset`, {
    method: "POST",
    body: new URLSearchParams({ name: "Mine", cron: "x", time_zone: "y", preset: "session", scope: "stored" }),
  });
  const text = await response.text();
  expect(text).toContain('value="35 10-16 * * 1-5"');
  expect(text).toContain('value="America/New_York"');
  expect(text).toContain('value="Mine"');
  expect(text).toMatch(/<details class="card" open/);
  expect((await list()).length).toBe(before);
});
