/** The kinds of problems and their descriptions. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { startApp } from "../../helpers/app.ts";
import { ask } from "../../helpers/http.ts";

setDefaultTimeout(60_000);

test("the type of every problem is an address in the API's page, also below a path of the host", async () => {
  for (const [publicUrl, base] of [
    [undefined, ""],
    ["https://example.com/barkeep", "/barkeep"],
  ]) {
    await using app = await startApp({ env: publicUrl === undefined ? {} : { BARKEEP_URL: publicUrl } });
    const answers = await Promise.all([
      app.get("/api/runs/none"),
      app.get("/api/runs?limit=0"),
      app.get("/api/none"),
      ask(`${app.url}/api/watchlists`, { method: "POST", body: "{", headers: { "Content-Type": "application/json" } }),
      ask(`${app.url}/api/watchlists`, { method: "POST", body: "x", headers: { "Content-Type": "text/csv" } }),
    ]);
    expect(answers.map(({ body }) => [body.status, body.type])).toEqual([
      [404, `${base}/api/docs#problem-not-found`],
      [422, `${base}/api/docs#problem-invalid-input`],
      [404, `${base}/api/docs#problem-not-found`],
      [400, `${base}/api/docs#problem-bad-request`],
      [415, `${base}/api/docs#problem-unsupported-content-type`],
    ]);
    const { text } = await app.get("/api/docs");
    for (const { body } of answers) expect(text).toContain(`id="${body.type.split("#")[1]}"`);
  }
});
