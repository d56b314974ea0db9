/** The doctor looks at the mail server too. */

import { expect, test } from "bun:test";
import { diagnose } from "../../src/doctor.ts";
import { startMailServer } from "../fakes/smtp.ts";
import { temporaryFolder } from "../helpers/folder.ts";

test("the doctor says whether the mail server lets us in, and never the password", async () => {
  await using server = await startMailServer();
  using folder = temporaryFolder();
  const find = async (env: Record<string, string>) => {
    for await (const finding of diagnose({ BARKEEP_DB_URL: folder.database(), ...env })) {
      if (finding.what.startsWith("mail server")) return finding;
    }
    throw new Error("the doctor did not look at the mail server");
  };
  expect((await find({})).advice).toContain("SMTP_URL");
  expect(await find({ SMTP_URL: server.url, ALERT_TO: "a@b" })).toEqual({
    what: `mail server ${new URL(server.url).host}`,
    fault: null,
  });
  const url = new URL(server.url);
  url.password = "wr0ng-one";
  const wrong = await find({ SMTP_URL: url.href, ALERT_TO: "a@b" });
  expect(wrong.fault).toContain("no such login");
  expect(JSON.stringify(wrong)).not.toContain("wr0ng-one");
  expect(server.mails).toEqual([]);
});
