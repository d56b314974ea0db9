import { afterAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProviderError } from "../../../src/domain/errors.ts";
import { barStarts, CALENDAR } from "../../../src/domain/market/calendar.ts";
import type { Interval } from "../../../src/domain/market/interval.ts";
import { createFilesProvider } from "../../../src/providers/files/files-provider.ts";
import { at } from "../../helpers/inputs/bars.ts";
import { type RecordingContext, recordingContext } from "../fetch-context.ts";
import { providerContract } from "../provider.contract.ts";

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "barkeep-csv-"));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

async function fetch(
  files: Record<string, string>,
  {
    symbol = "AAPL",
    interval = "1d",
    context = recordingContext(),
  }: { symbol?: string; interval?: Interval; context?: RecordingContext } = {},
) {
  const provider = createFilesProvider({ directory: await folderWith(files) });
  return provider.fetchBars(
    { symbol, interval, from: at("2000-01-01"), to: at("2030-01-01"), asOf: at("2030-01-01") },
    context,
  );
}

const days = CALENDAR.sessionsBetween("us_equity", at("2024-11-25"), at("2024-12-09"));
const fileAt = (interval: Interval) =>
  [
    "timestamp,open,high,low,close,volume",
    ...days
      .flatMap((day) => barStarts(day, interval))
      .map((ts, i) => `${ts},${10 + i},${11 + i},${9 + i},${10.5 + i},${100 * i}`),
    "",
  ].join("\n");

providerContract("files", async () => ({
  provider: createFilesProvider({
    directory: await folderWith({
      "AAPL.csv": fileAt("1d"),
      "AAPL-1m.csv": fileAt("1m"),
      "AAPL-5m.csv": fileAt("5m"),
      "AAPL-15m.csv": fileAt("15m"),
      "AAPL-1h.csv": fileAt("1h"),
    }),
  }),
  symbol: "AAPL",
  unknown: "NOPE",
  from: "2024-11-25",
  to: "2024-12-09",
  metered: false,
}));

describe("csv files", () => {
  const formats: Record<string, [string, string, Interval]> = {
    dates: ["2024-01-02", "2024-01-02", "1d"],
    "compact dates": ["20240102", "2024-01-02", "1d"],
    "New York midnight of a day": ["2024-01-02T05:00:00Z", "2024-01-02", "1d"],
    "ISO with Z": ["2024-01-02T14:30:00Z", "2024-01-02T14:30:00Z", "1h"],
    "ISO with milliseconds": ["2024-01-02T14:30:00.000Z", "2024-01-02T14:30:00Z", "1h"],
    "ISO with an offset": ["2024-01-02T09:30:00-05:00", "2024-01-02T14:30:00Z", "1h"],
    "ISO with a bare offset": ["2024-01-02T09:30:00-0500", "2024-01-02T14:30:00Z", "1h"],
    "epoch seconds": ["1704205800", "2024-01-02T14:30:00Z", "1h"],
    "epoch milliseconds": ["1704205800000", "2024-01-02T14:30:00Z", "1h"],
    "a bare time, which is UTC": ["2024-01-02 14:30:00", "2024-01-02T14:30:00Z", "1h"],
    "a bare time without seconds": ["2024-01-02 14:30", "2024-01-02T14:30:00Z", "1h"],
  };
  for (const [title, [text, expected, interval]] of Object.entries(formats)) {
    test(`a csv file may hold ${title}`, async () => {
      const name = interval === "1d" ? "AAPL.csv" : `AAPL-${interval}.csv`;
      const { bars } = await fetch(
        { [name]: `timestamp,open,high,low,close,volume\n${text},1,2,0.5,1.5,10\n` },
        { interval },
      );
      expect([...bars.ts]).toEqual([at(expected)]);
    });
  }

  const row = { ts: at("2024-01-02"), open: 10, high: 12, low: 9, close: 11, volume: 500 };
  const shapes: Record<string, string> = {
    "other column orders and letter case": "Volume,Close,Low,High,Open,Date\n500,11,9,12,10,2024-01-02\n",
    "extra columns": "Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-02,10,12,9,11,10.7,500\n",
    "angle-bracket headers": "<DATE>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\n20240102,10,12,9,11,500\n",
    semicolons: "timestamp;open;high;low;close;volume\n2024-01-02;10;12;9;11;500\n",
    tabs: "timestamp\topen\thigh\tlow\tclose\tvolume\n2024-01-02\t10\t12\t9\t11\t500\n",
    quotes: '"timestamp","open","high","low","close","volume"\n"2024-01-02","10","12","9","11","500"\n',
    "Windows line ends": "timestamp,open,high,low,close,volume\r\n2024-01-02,10,12,9,11,500\r\n",
    "a byte order mark": "\uFEFFtimestamp,open,high,low,close,volume\n2024-01-02,10,12,9,11,500\n",
    "blank lines": "timestamp,open,high,low,close,volume\n\n2024-01-02,10,12,9,11,500\n\n",
    "lines of empty cells": "timestamp,open,high,low,close,volume\n,,,,,\n2024-01-02,10,12,9,11,500\n, , ,,,\n,,,,,\n",
    "no line break at the end": "timestamp,open,high,low,close,volume\n2024-01-02,10,12,9,11,500",
    "date and time in two columns": "date,time,open,high,low,close,volume\n2024-01-02,00:00,10,12,9,11,500\n",
  };
  for (const [title, text] of Object.entries(shapes)) {
    test(`a csv file may have ${title}`, async () => {
      const { bars, rejected } = await fetch({ "AAPL.csv": text });
      expect(rejected).toEqual([]);
      expect(Object.fromEntries(Object.entries(bars).map(([field, column]) => [field, [...column]]))).toEqual(
        Object.fromEntries(Object.entries(row).map(([field, value]) => [field, [value]])),
      );
    });
  }

  test("a csv file loses no valid row to an invalid one, and each fault names file, line and reason", async () => {
    const { bars, rejected } = await fetch({
      "AAPL.csv": [
        "timestamp,open,high,low,close,volume",
        "2024-01-02,10,12,9,11,500",
        "03.01.2024,10,12,9,11,500",
        "2024-01-04,10,12,9,n/a,500",
        "2024-01-05,10,12,9,11",
        "2024-02-30,10,12,9,11,500",
        "",
        "2024-01-08,10,12,9,11,",
        "2024-01-09,10,12,9,11,700",
      ].join("\n"),
    });
    expect([...bars.ts]).toEqual([at("2024-01-02"), at("2024-01-08"), at("2024-01-09")]);
    expect(rejected.map(({ where, reason }) => `${where}: ${reason.split(" (known")[0]}`)).toEqual([
      'AAPL.csv:3: "03.01.2024" is not a date (3 January or 1 March? no line of the file shows which; write 2026-12-31, or name the column Date (DD/MM/YYYY) or Date (MM/DD/YYYY))',
      'AAPL.csv:4: close "n/a" is not a number',
      "AAPL.csv:5: 5 of at least 6 columns",
      'AAPL.csv:6: "2024-02-30" is not a date',
    ]);
    expect(rejected[1]?.raw).toBe("2024-01-04,10,12,9,n/a,500");
  });

  test("a csv file that is not sorted is sorted, and the log says where", async () => {
    const context = recordingContext();
    const { bars, rejected } = await fetch(
      {
        "AAPL.csv":
          "timestamp,open,high,low,close,volume\n2024-01-03,3,3,3,3,3\n2024-01-02,2,2,2,2,2\n2024-01-04,4,4,4,4,4\n",
      },
      { context },
    );
    expect([...bars.close]).toEqual([2, 3, 4]);
    expect(rejected).toEqual([]);
    expect(context.logs).toEqual([
      "warn: AAPL.csv:3: earlier than the line before; 1 line(s) out of order were sorted on reading",
    ]);
  });

  test("an invalid line is reported once, with the window it stands in", async () => {
    const directory = await folderWith({
      "AAPL.csv":
        "timestamp,open,high,low,close,volume\nsoon,1,1,1,1,1\n2024-01-02,1,1,1,1,1\n2024-02-02,1,1,1,x,1\n???,1,1,1,1,1\n",
    });
    const provider = createFilesProvider({ directory });
    const asked = async (from: string, to: string) =>
      (
        await provider.fetchBars(
          { symbol: "AAPL", interval: "1d", from: at(from), to: at(to), asOf: at("2030-01-01") },
          recordingContext(),
        )
      ).rejected.map(({ where }) => where);
    expect(await asked("2024-01-01", "2024-02-01")).toEqual(["AAPL.csv:2", "AAPL.csv:5"]);
    expect(await asked("2024-02-01", "2024-03-01")).toEqual(["AAPL.csv:4"]);
  });

  const broken: Record<string, [string, string]> = {
    "lack a column": ["timestamp,open,high,low,volume\n", "AAPL.csv:1: no column for close;"],
    "lack a header": [
      "2024-01-02,10,12,9,11,500\n",
      "AAPL.csv:1: no column for timestamp, open, high, low, close, volume;",
    ],
    "are empty": ["", "AAPL.csv:1: the file is empty"],
  };
  for (const [title, [text, message]] of Object.entries(broken)) {
    test(`a csv file that ${title} is refused with file and line`, async () => {
      const failure = await fetch({ "AAPL.csv": text }).catch((error) => error);
      expect(failure).toBeInstanceOf(ProviderError);
      expect(failure.kind).toBe("bad_request");
      expect(failure.message).toStartWith(message);
    });
  }

  test("a csv file that is missing is named, and not where its folder is", async () => {
    const failure = await fetch({ "MSFT.csv": fileAt("1d") }, { interval: "1m" }).catch((error) => error);
    expect(failure.message).toStartWith("AAPL: no file AAPL-1m.csv in the folder of BARKEEP_CSV_DIR (also tried ");
  });

  test("a csv folder that is missing is reported without its path", async () => {
    const provider = createFilesProvider({ directory: "/nowhere/bars" });
    const window = { symbol: "AAPL", interval: "1d", from: 0, to: 1, asOf: 1 } as const;
    const failure = await provider.fetchBars(window, recordingContext()).catch((error) => error);
    const cause = "ENOENT: no such file or directory";
    expect(failure.message).toStartWith(`The folder of BARKEEP_CSV_DIR cannot be read: ${cause}`);
    expect(failure.message).not.toContain("/nowhere");
  });

  test("a csv file outside the folder cannot be reached", async () => {
    const outer = await folderWith({ "SECRET.csv": fileAt("1d") });
    const inner = await folderWith({});
    await symlink(outer, join(inner, "outer"));
    const provider = createFilesProvider({ directory: inner });
    for (const symbol of ["../SECRET", `..${outer}/SECRET`, "outer/SECRET", `${outer}/SECRET`, "SECRET\0"]) {
      const window = { symbol, interval: "1d", from: 0, to: at("2030-01-01"), asOf: at("2030-01-01") } as const;
      const failure = await provider.fetchBars(window, recordingContext()).catch((error) => error);
      expect(failure.kind).toBe("unknown_symbol");
    }
  });

  const refusalOfLink = async (target: string) => {
    const folder = await folderWith({});
    await symlink(target, join(folder, "AAPL.csv"));
    const window = { symbol: "AAPL", interval: "1d", from: 0, to: at("2030-01-01"), asOf: at("2030-01-01") } as const;
    const reading = createFilesProvider({ directory: folder }).fetchBars(window, recordingContext());
    return reading.then(
      ({ bars }) => bars.ts.length,
      (error) => error.message,
    );
  };

  test("a link to a csv file in another folder is read, and of a file that is no table of bars nothing is quoted", async () => {
    const others = await folderWith({
      "bars.csv": fileAt("1d"),
      passwd: "root:x:0:0:root:/root:/bin/sh\n",
      key: "-----BEGIN PRIVATE KEY-----\nMIIEvQ,1,2,3,4,5\n",
      list: "Date;Name\n2024-01-02;somebody\n",
      prices: "Date,Open,Low,Remark\n2024-01-02,1,2,x\n",
    });
    const known = await refusalOfLink(join(others, "bars.csv"));
    expect(known).toBe(days.length);
    const lacks = "no column for timestamp, open, high, low, close, volume; the first line must name the columns";
    const wanted = "timestamp,open,high,low,close,volume (in any order)";
    expect(await refusalOfLink(join(others, "passwd"))).toBe(
      `AAPL.csv:1: ${lacks} ${wanted}, it has 1 cell, 0 of them numbers`,
    );
    expect(await refusalOfLink(join(others, "key"))).toBe(
      `AAPL.csv:1: ${lacks} ${wanted}, it has 1 cell, 0 of them numbers`,
    );
    expect(await refusalOfLink(join(others, "list"))).toEndWith("it has 2 cells, 0 of them numbers");
    expect(await refusalOfLink(join(others, "prices"))).toEndWith('it holds "Date,Open,Low,Remark"');
  });

  test("a link that leads to no file is refused at once, and without where it leads", async () => {
    const folder = await folderWith({});
    expect(await refusalOfLink("/dev/zero")).toBe("AAPL.csv is no file");
    expect(await refusalOfLink(folder)).toBe("AAPL.csv is no file but a folder");
    expect(await refusalOfLink(join(folder, "gone"))).toBe(
      "AAPL.csv cannot be read: it is gone, or a link that leads nowhere",
    );
  });

  test("a csv file is found whatever the case of its name", async () => {
    const { bars } = await fetch({ "aapl.CSV": fileAt("1d") });
    expect(bars.ts.length).toBe(days.length);
  });

  test("a csv file may name New York, and one without the suffix comes first", async () => {
    for (const name of ["AAPL@US.csv", "aapl@us-1d.csv"])
      expect((await fetch({ [name]: fileAt("1d") })).bars.ts.length).toBe(days.length);
    const both = { "AAPL@US.csv": fileAt("1d"), "AAPL.csv": "timestamp,open,high,low,close\n2024-11-25,1,1,1,1\n" };
    expect([...(await fetch(both)).bars.close]).toEqual([1]);
  });

  test("a csv file is read again only when it changes", async () => {
    const text = (close: number) =>
      `timestamp,open,high,low,close,volume\n2024-01-03,9,9,9,9,9\n2024-01-02,1,9,1,${close},1\n`;
    const directory = await folderWith({ "AAPL.csv": text(2) });
    const provider = createFilesProvider({ directory });
    const context = recordingContext();
    const close = async () => {
      const window = { symbol: "AAPL", interval: "1d", from: 0, to: at("2030-01-01"), asOf: at("2030-01-01") } as const;
      return (await provider.fetchBars(window, context)).bars.close[0];
    };
    for (let batch = 0; batch < 24; batch++) expect(await close()).toBe(2);
    expect(context.logs.length).toBe(1); // the note on sorting, once for each reading
    await writeFile(join(directory, "AAPL.csv"), text(3));
    await utimes(join(directory, "AAPL.csv"), 1_000_000, 1_000_000);
    expect(await close()).toBe(3);
    expect(context.logs.length).toBe(2);
  });

  test("a large csv file is read once for all its windows, and not kept after the last of them", async () => {
    const start = at("2024-01-01");
    const minutes = Array.from({ length: 20_001 }, (_, i) => new Date((start + 60 * i) * 1_000).toISOString());
    const rows = minutes.map((time) => `${time},1,1,1,1,1`);
    const directory = await folderWith({
      "BTC-USD-1m.csv": ["timestamp,open,high,low,close,volume", "bad,1,1,1,1,1", ...rows, "2024-03-01,1,1,1,x,1"].join(
        "\n",
      ),
    });
    const provider = createFilesProvider({ directory });
    const context = recordingContext();
    const holds = "BTC-USD-1m.csv holds bars of 2024-01-01 to 2024-01-14";
    const read = async (from: number, to: number) => {
      const window = { symbol: "BTC-USD", interval: "1m", from, to, asOf: at("2030-01-01") } as const;
      const fetched = await provider.fetchBars(window, context);
      expect(fetched.holds).toBe(holds);
      return [fetched.bars.ts.length, fetched.rejected.length];
    };
    const middle = start + 60 * 10_000;
    const end = start + 60 * minutes.length;
    // The notes on the rejected rows come with each reading of the file.
    for (const readings of [1, 2]) {
      expect([await read(start, middle), await read(middle, end)]).toEqual([
        [10_000, 1],
        [10_001, 0],
      ]);
      // What lies after its end is known without its bars.
      expect(await read(end, at("2024-02-01"))).toEqual([0, 0]);
      expect(await read(at("2024-03-01"), at("2025-03-01"))).toEqual([0, 1]);
      expect(context.logs.length).toBe(2 * readings);
    }
  });
});
