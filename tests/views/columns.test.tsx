/** @jsxImportSource hono/jsx */
import { expect, test } from "bun:test";
import { COLUMNS } from "../../src/views/jobs/columns.ts";
import { JobRow } from "../../src/views/jobs/job-row.ts";
import { Table } from "../../src/views/jobs/job-table.tsx";
import { job, run } from "../helpers/fixtures.ts";

const css = (file: string) => Bun.file(new URL(`../../public/css/${file}.css`, import.meta.url)).text();
const keys = COLUMNS.map(({ key }) => key);

/** The class of each element that `selector` finds. */
function classesOf(markup: string, selector: string): (string | null)[] {
  const found: (string | null)[] = [];
  new HTMLRewriter().on(selector, { element: (each) => void found.push(each.getAttribute("class")) }).transform(markup);
  return found;
}

test("head and row have one cell a column, of the column's class", () => {
  const table = String(<Table label="Full" run={run()} jobs={[job()]} controls />);
  const classes = COLUMNS.map(({ key, numeric }) => `c-${key}${numeric ? " num" : ""}`);
  expect(classesOf(table, "thead th")).toEqual(classes);
  // The symbol is the head of its row and has no class.
  const cells = classes.map((name) => (name === "c-symbol" ? null : name));
  expect(classesOf(String(JobRow({ job: job(), controls: true })), "th, td")).toEqual(cells);
});

test("the style sheet has one width a column", async () => {
  const [, widths] = /\.queue tr \{[^}]*grid-template-columns: ([^;]+);/.exec(await css("areas/job-table"))!;
  expect(widths!.match(/minmax\([^)]*\)|\S+/g)).toHaveLength(keys.length);
});

test("a narrow page has a place for every column", async () => {
  const narrow = await css("base/responsive");
  const [, areas] = /\.queue tbody tr \{[^}]*grid-template-areas:([^;]+);/.exec(narrow)!;
  expect(new Set(areas!.match(/\w+/g))).toEqual(new Set(keys));
  const placed = narrow.matchAll(/\.queue (?:\.c-(\w+)|tbody th) \{[^}]*grid-area: (\w+);/g);
  const places = [...placed].map(([, name = "symbol", area]) => [name, area]);
  expect(Object.fromEntries(places)).toEqual(Object.fromEntries(keys.map((key) => [key, key])));
});
