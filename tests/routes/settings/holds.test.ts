import { expect, test } from "bun:test";
import { startApp } from "../../helpers/app.ts";
import { ask } from "../../helpers/http.ts";

test("a vendor's hold is lifted on the settings page after a question, and the audit has who did it", async () => {
  await using app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
  const { limiter, db } = app.app;
  const lift = (fields: Record<string, string> = {}) =>
    ask(`${app.url}/settings/alpaca/hold/lift`, {
      method: "POST",
      body: new URLSearchParams(fields),
      redirect: "manual",
    });
  expect((await app.get("/settings")).text).not.toContain("Lift the hold");
  expect((await lift()).status).toBe(303);
  limiter.report("alpaca", { holdSeconds: 86_400, reason: "the vendor has banned this address" });
  expect((await app.get("/settings")).text).toContain("Lift the hold");

  const question = await lift();
  expect([question.status, question.text]).toEqual([
    200,
    expect.stringContaining("Send requests to Alpaca again now?"),
  ]);
  expect(question.text).toContain("the vendor has banned this address");
  expect(limiter.state("alpaca")?.hold).not.toBeNull();
  // Another hold than the one in the question is asked about again.
  expect((await lift({ expect: "1" })).text).toContain("Send requests to Alpaca again now?");

  const expected = String(limiter.state("alpaca")!.hold!.until);
  const lifted = await lift({ expect: expected });
  expect([lifted.status, lifted.headers.get("Location")]).toEqual([303, "/settings#provider-alpaca"]);
  expect(limiter.state("alpaca")?.hold).toBeNull();
  const audit = await db.rows("SELECT actor, action, subject, before FROM audit WHERE action = 'hold.lift'", []);
  expect(audit).toEqual([["local", "hold.lift", "alpaca", expect.stringContaining("banned this address")]]);
});
