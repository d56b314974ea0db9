/** From end to end: a run ends, its mail arrives. */

import { expect, test } from "bun:test";
import { startMailServer } from "../fakes/smtp.ts";
import { startApp } from "../helpers/app.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const mailEnv = ({ url }: { url: string }) => ({
  SMTP_URL: url,
  ALERT_TO: "ops@example.com",
  BARKEEP_URL: "https://barkeep.example.com/prices",
});

test("a run with a failed symbol is one mail that names it and links to the run", async () => {
  await using server = await startMailServer();
  await using app = await startApp({ env: mailEnv(server) });
  const run = await app.start({ symbols: ["AAPL", "DEMO-FAIL"], years: 1, batch_days: 365 });
  const [mail] = await server.arrived(1);
  await app.app.outbox.idle();
  expect(server.mails.length).toBe(1);
  expect(mail!.subject).toBe("Run failed: 1 of 2 symbols failed (DEMO-FAIL)");
  expect(mail!.text).toMatch(/^DEMO-FAIL +\S/m);
  expect(mail!.text).toMatch(/^AAPL +complete +\d/m);
  expect(mail!.text).toContain(`https://barkeep.example.com/prices/runs/${run}`);
});

test("what happened while the mail server was down is mailed after a later start", async () => {
  await using server = await startMailServer();
  using folder = temporaryFolder();
  const env = mailEnv(server);
  await server.stop();
  {
    await using app = await startApp({ env, folder });
    await app.waitForRun(await app.start({ symbols: ["DEMO-FAIL"], years: 1, batch_days: 365 }), "failed");
    await app.app.outbox.idle();
    // Its next attempt is due by the time of the next start.
    await app.app.db.write([{ sql: "UPDATE mails SET not_before = 0", args: [] }]);
  }
  await server.start();
  await using app = await startApp({ env, folder });
  const [mail] = await server.arrived(1);
  await app.app.outbox.idle();
  expect(mail!.subject).toContain("Run failed");
  expect(server.mails.length).toBe(1);
});

test("a run's end and its event are one write: neither is stored without the other", async () => {
  await using app = await startApp();
  const { db } = app.app;
  await db.write([
    {
      sql: `CREATE TRIGGER full_disk BEFORE INSERT ON alert_events WHEN new.kind = 'run_finished'
            BEGIN SELECT raise(ABORT, 'disk full'); END`,
      args: [],
    },
  ]);
  await using events = await app.events();
  const run = await app.start({ symbols: ["AAPL"], years: 1 });
  await events.until(({ event, data }) => event === "log" && data.level === "error");
  const stored = await db.rows("SELECT state FROM runs WHERE id = ?", [run]);
  const recorded = await db.rows("SELECT count(*) FROM alert_events", []);
  expect({ stored, recorded: recorded }).toEqual({ stored: [["running"]], recorded: [[0]] });
});
