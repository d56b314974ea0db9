/** @jsxImportSource hono/jsx */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BY_ATTENTION } from "../../src/domain/runs/queue/job-sort.ts";
import type { RunSummary } from "../../src/domain/runs/run-summary.ts";
import { JOB_STATES, type JobState } from "../../src/domain/runs/states.ts";
import { JobActions } from "../../src/views/jobs/job-menu.tsx";
import { JobRow } from "../../src/views/jobs/job-row.ts";
import { liveJob, liveLogLines, liveRuns, liveToast, sseTogether } from "../../src/views/live.tsx";
import { RUN_FIELDS, RunForm, type RunFormView } from "../../src/views/runs/run-form.tsx";
import { RunHead, runSentence } from "../../src/views/runs/run-header.tsx";
import { formatEta, formatPrices, formatSigned, formatValue } from "../../src/views/ui/format.ts";
import { job, line, run } from "../helpers/fixtures.ts";
import { anyText } from "../helpers/inputs/texts.ts";

/** The attributes and texts of a fragment, as a parser sees them. */
function parse(markup: string, selector: string) {
  const found: { attributes: Record<string, string>; text: string }[] = [];
  const rewriter = new HTMLRewriter().on(selector, {
    element(element) {
      found.push({ attributes: Object.fromEntries(element.attributes), text: "" });
    },
    text(chunk) {
      const last = found.at(-1);
      if (last) last.text += chunk.text;
    },
  });
  rewriter.transform(markup);
  return found;
}

test("a run that is complete but lacks sessions is amber, in words as well", () => {
  const head = (over: Partial<RunSummary>) => String(<RunHead run={run(over)} />);
  expect(head({ state: "complete", gaps: 3 })).toMatch(/pill-gaps.*Complete, 3 gaps</);
  expect(head({ state: "complete" })).toMatch(/pill-complete.*Complete</);
  expect(head({ state: "failed", gaps: 3 })).toContain("pill-failed");
  const reasons = [5, 3, 2, 1, 1].map((count, index) => ({ why: `<reason ${index}>`, count }));
  const failed = head({ state: "failed", failures: reasons });
  expect(failed).toContain("5 symbols</b>: &lt;reason 0&gt;");
  expect(failed).not.toContain("reason 3");
  expect(failed).toContain("2 symbols for other reasons");
});

test("a run of which nothing is at work until its provider takes requests again is waiting, not running", () => {
  const counts = { queued: 3, running: 0, paused: 0, complete: 1, failed: 0, cancelled: 0, skipped: 0 };
  const blocked = { by: "quota", until: 1_800_000_000 } as const;
  const state = (over: Partial<RunSummary>) =>
    parse(String(<RunHead run={run({ state: "running", ...over })} />), ".pill")[0]?.text;
  expect(state({ counts, blocked })).toBe("Waiting");
  expect(state({ counts: { ...counts, running: 1 }, blocked })).toBe("Running");
  expect(state({ counts, blocked: null })).toBe("Running");
  expect(state({ state: "paused", counts, blocked })).toBe("Paused");
});

/** A run with nothing but hostile text to show. */
const view = (evil: string) => ({
  run: run({ provider: evil, id: evil }),
  jobs: [],
  first: 0,
  matching: 0,
  hidden: 1,
  pages: 1,
  sort: BY_ATTENTION,
  query: { filter: evil, sort: evil, page: 2 },
});

describe("a row", () => {
  test("a row shows what the job reports", () => {
    const row = String(JobRow({ job: job(), controls: true }));
    expect(parse(row, "tr")[0]!.attributes).toMatchObject({ id: "job-r1-AAPL", "data-state": "running" });
    expect(parse(row, "progress")[0]!.attributes).toMatchObject({ value: "1", max: "100" });
    expect(parse(row, ".c-stage span")[0]!.text).toBe("Batch 2/24: 4%");
    expect(parse(row, ".c-time")[0]!.attributes["data-since"]).toBe("1700000000000");
  });

  test("the symbol of a row leads to the profile once there is one, before that to the page of its job", () => {
    expect(parse(String(JobRow({ job: job(), controls: false })), "th a")[0]!.attributes.href).toBe(
      "/runs/r1/jobs/AAPL",
    );
    const done = job({ symbol: "VOD@LSE", state: "complete", status: "Complete", since: null });
    expect(parse(String(JobRow({ job: done, controls: false })), "th a")[0]!.attributes.href).toBe(
      "/profiles/VOD%40LSE?interval=1d",
    );
  });

  test("every row links to the page of its job, where every action that applies is a plain form button", () => {
    for (const state of JOB_STATES) {
      const row = String(JobRow({ job: job({ state }), controls: true }));
      expect(parse(row, "a").map(({ attributes }) => attributes.href)).toContain("/runs/r1/jobs/AAPL");
    }
    const offered = (state: JobState) =>
      parse(String(<JobActions job={job({ state })} />), "button").map(({ attributes }) => attributes.formaction);
    expect(offered("running")).toEqual(["pause", "cancel", "skip"].map((action) => `/runs/r1/jobs/AAPL/${action}`));
    expect(offered("failed")).toEqual(["retry", "refetch"].map((action) => `/runs/r1/jobs/AAPL/${action}`));
  });

  test("a pushed row leaves out the cells that the browser keeps", () => {
    expect(parse(liveJob(job()), "button, input, .c-menu a")).toHaveLength(0);
    expect(parse(liveJob(job()), "td[hx-morph-skip]")).toHaveLength(2);
  });

  test("a row marks a job that waits for a limit", () => {
    const until = Date.now() + 11_500;
    const parked = job({ wait: { cause: "quota", until } });
    expect(String(JobRow({ job: parked, controls: false }))).toContain(
      `resuming in <span data-left="${until}">12</span>s`,
    );
    const waiting = String(JobRow({ job: job({ wait: { cause: "rate", until } }), controls: false }));
    expect(parse(waiting, "tr")[0]!.attributes).toHaveProperty("data-held");
    expect(parse(waiting, "use")[0]!.attributes.href).toBe("#i-waiting");
    const retry = { cause: "retry", until, attempt: 2, of: 5, reason: "HTTP <503>" } as const;
    const retrying = String(JobRow({ job: job({ wait: retry }), controls: false }));
    expect(retrying).toContain(`Retry 2/5 in <span data-left="${until}">12</span>s: HTTP &lt;503&gt;</span>`);
    expect(parse(retrying, "tr")[0]!.attributes).toHaveProperty("data-held");
    expect(parse(String(JobRow({ job: job(), controls: false })), "tr")[0]!.attributes).not.toHaveProperty("data-held");
  });
});

test("hostile text stays text in every fragment", () => {
  fc.assert(
    fc.property(anyText(), (noise) => {
      const evil = `${noise}"'><script>alert(1)</script><hx-partial id="main">`;
      const markup = [
        liveJob(job({ symbol: evil, microStage: evil })),
        liveLogLines([line({ message: evil, level: "error" })]),
        liveToast("error", evil),
        liveRuns([view(evil)], true),
        String(<RunForm form={form({ values: { ...values, symbols: evil }, errors: { years: evil } })} />),
      ].join("");
      expect(markup).not.toContain("<script");
      expect(markup.match(/<hx-partial /g)).toHaveLength(4);
    }),
  );
});

test("an SSE message survives line breaks of every kind", () => {
  const message = sseTogether("e-1-2", "", "<p>a\r\nb\rc\nd</p>");
  expect(message).toBe("id: e-1-2\ndata: <p>a\ndata: b\ndata: c\ndata: d</p>\n\n");
});

describe("a run's head", () => {
  test("a run's head offers only what can be done now", () => {
    const actions = (over: Parameters<typeof run>[0]) =>
      parse(String(<RunHead run={run(over)} />), "button[formaction]").map((b) => b.attributes.formaction);
    expect(actions({})).toEqual(["/runs/r1/matching/pause", "/runs/r1/matching/cancel"]);
    const none = { queued: 0, running: 0, paused: 0, complete: 0, failed: 0, cancelled: 0, skipped: 0 };
    expect(actions({ counts: { ...none, paused: 2 } })).toEqual([
      "/runs/r1/matching/resume",
      "/runs/r1/matching/cancel",
    ]);
    expect(actions({ counts: { ...none, complete: 2 } })).toEqual([]);
    expect(actions({ counts: { ...none, failed: 1 } })).toEqual(["/runs/r1/matching/retry?q=status%3Afailed"]);
  });

  test("a run's head has a description in one sentence", () => {
    const counts = { queued: 4, running: 2, paused: 0, complete: 12, failed: 1, cancelled: 0, skipped: 0 };
    expect(runSentence(run({ counts }))).toBe("Full · 1d · 2 years · demo: 12 complete, 1 failed, 6 left.");
  });
});

const values: RunFormView["values"] = {
  symbols: "AAPL",
  from: "",
  to: "",
  name: "Night",
  mode: "repair",
  interval: "1h",
  years: "all",
  provider: "csv",
  max_workers: "3",
  batch_days: "45",
};
const form = (over: Partial<RunFormView> = {}): RunFormView => ({
  values,
  errors: {},
  providers: [
    { name: "demo", title: "Demo" },
    { name: "csv", title: "CSV" },
  ],
  ...over,
});

describe("the form", () => {
  test("the run form keeps everything that was typed", () => {
    const markup = String(<RunForm form={form()} />);
    expect(parse(markup, "option[selected]").map(({ attributes }) => attributes.value)).toEqual([
      "repair",
      "all",
      "1h",
      "csv",
    ]);
    expect(parse(markup, "input").map(({ attributes }) => attributes.value)).toEqual(["", "", "Night", "3", "45"]);
    expect(parse(markup, "textarea")[0]!.text).toBe("AAPL");
  });

  test("the run form ties each error to its field and focuses the first", () => {
    for (const field of RUN_FIELDS) {
      const markup = String(<RunForm form={form({ errors: { [field]: "No good.", batch_days: "No good." } })} />);
      const [control] = parse(markup, `#run-${field}`);
      expect(control!.attributes["aria-invalid"]).toBe("true");
      expect(parse(markup, `#${control!.attributes["aria-describedby"]}`)[0]!.text).toBe("No good.");
      expect(parse(markup, "[autofocus]").map(({ attributes }) => attributes.name)).toEqual([field]);
    }
  });
});

describe("numbers as words", () => {
  test("the time left is written as coarsely as it is known", () => {
    expect([3, 42, 89, 240, 3_580, 7_800].map(formatEta)).toEqual([
      "under 10s",
      "about 40s",
      "about 90s",
      "about 4m",
      "about 1h 00m",
      "about 2h 10m",
    ]);
  });

  test("values keep six digits, at any size", () => {
    expect([0, 187.2304, 0.000123456789, 48_291_022, -1e-9, 3e14].map(formatValue)).toEqual([
      "0",
      "187.23",
      "0.000123457",
      "48,291,022",
      "-1.0000e-9",
      "3.0000e+14",
    ]);
  });

  test("a change has a sign unless it is zero in the digits that are shown", () => {
    const changes = [1.044, -0.3, 0.004, -0.004, 0, -12];
    expect(changes.map((each) => formatSigned(each, 2))).toEqual(["+1.04", "−0.30", "0.00", "0.00", "0.00", "−12.00"]);
  });

  test("prices of one bar have as many decimals as the one with most", () => {
    expect(formatPrices([316.7, 323.51, 316.46, 320])).toEqual(["316.70", "323.51", "316.46", "320.00"]);
    expect(formatPrices([0.00001234, 0.0001])).toEqual(["0.00001234", "0.00010000"]);
    expect(formatPrices([123_456, 99_000.5])).toEqual(["123,456", "99000.5"]);
  });
});
