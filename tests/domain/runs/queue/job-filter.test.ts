import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseFilter } from "../../../../src/domain/runs/queue/job-filter.ts";
import { job } from "../../../helpers/fixtures.ts";
import { anyText } from "../../../helpers/inputs/texts.ts";

const JOBS = [
  job({
    symbol: "AAPL",
    state: "complete",
    status: "Complete",
    progress: 100,
    dataPoints: 500,
    apiCalls: 24,
    duration: 3,
  }),
  job({ symbol: "AMZN", state: "failed", status: "Fetching history", progress: 20 }),
  job({ symbol: "BRK.B", state: "running", status: "Engineering features", progress: 57 }),
  job({ symbol: "BTC-USD", state: "running", wait: { cause: "rate", until: 9_000 }, progress: 12 }),
  job({ symbol: "V", state: "queued", status: "Queued", progress: 0 }),
  job({ symbol: "ZZZ", state: "cancelled", status: "Cancelled", progress: 57 }),
];

function found(text: string): string[] {
  const filter = parseFilter(text);
  if ("error" in filter) throw new Error(filter.error);
  return JOBS.filter(filter.matches).map(({ symbol }) => symbol);
}

test.each([
  ["", ["AAPL", "AMZN", "BRK.B", "BTC-USD", "V", "ZZZ"]],
  ["a*", ["AAPL", "AMZN"]],
  ["m", ["AMZN"]],
  ["c-u", ["BTC-USD"]],
  ["zzzz", []],
  ["v", ["V"]],
  ["*.b", ["BRK.B"]],
  ["b*c*d", ["BTC-USD"]],
  ["symbol:B* progress>50", ["BRK.B"]],
  ["status:failed", ["AMZN"]],
  ["status:failed,queued", ["AMZN", "V"]],
  ["status:waiting", ["BTC-USD"]],
  ["stage>fetch", ["AAPL", "BRK.B", "ZZZ"]],
  ["stage<fetch", ["V"]],
  ["stage:engineer", ["BRK.B", "ZZZ"]],
  ["status:failed symbol:A* stage:fetch", ["AMZN"]],
  ["status:failed symbol:A* stage>fetch", []],
  ["status:cancelled stage>fetch", ["ZZZ"]],
  ["points>100 calls<30 time>2", ["AAPL"]],
  ["  status:running   B*  ", ["BRK.B", "BTC-USD"]],
])("%p finds %p", (text, symbols) => {
  expect(found(text)).toEqual(symbols);
});

test.each(["status:gone", "stage>lunch", "progress>much", "colour:red", "progress<"])(
  "%p is refused with a reason",
  (text) => {
    expect(parseFilter(text)).toEqual({ error: expect.stringMatching(/^.+ (wants|is none of) .+\.$/) });
  },
);

describe("any text as a filter", () => {
  test("any text is either a filter or refused with a sentence", () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        const filter = parseFilter(text);
        if ("error" in filter) expect(filter.error).toEndWith(".");
        else expect(typeof filter.matches(JOBS[0]!)).toBe("boolean");
      }),
    );
  });

  test("a pattern finds the symbol it was made from", () => {
    const word = fc.stringMatching(/^[A-Z0-9]{1,6}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 2, maxLength: 4 }), (parts) => {
        const filter = parseFilter(parts.join("*"));
        expect("matches" in filter && filter.matches(job({ symbol: parts.join("XX") }))).toBe(true);
      }),
    );
  });
});
