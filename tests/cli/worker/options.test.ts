import { expect, test } from "bun:test";
import { readOptions, type WorkerOptions, WrongOption } from "../../../src/cli/worker/options.ts";

const read = (more: Partial<WorkerOptions>) =>
  readOptions({ server: "http://127.0.0.1:3000/", token: "bk_x", ...more });

test("a worker that names nothing takes jobs of all providers and intervals, and has the name of its machine", () => {
  const { server, providers, intervals, host } = read({});
  expect([server.url, providers, intervals]).toEqual(["http://127.0.0.1:3000", null, null]);
  expect(host).not.toBe("");
});

test("a worker takes jobs of the providers and intervals that are listed, exchanges of ccxt included", () => {
  expect(read({ providers: "demo, eodhd,ccxt-kraken" }).providers).toEqual(["demo", "eodhd", "ccxt-kraken"]);
  expect(read({ intervals: "1m 1d" }).intervals).toEqual(["1m", "1d"]);
});

test.each([
  [{ providers: "eohd" }, /^--providers: there is no provider "eohd"$/],
  [{ providers: "files" }, /^--providers: only the server has the folder of files$/],
  [{ providers: "csv" }, /^--providers: only the server has the folder of csv$/],
  [{ providers: "" }, /^--providers names none/],
  [{ intervals: " , " }, /^--intervals names none/],
  [{ intervals: "2m" }, /^--intervals wants some of 1m.*, not "2m"$/],
  [{ name: " " }, /^--name wants a name/],
  [{ name: "a\nb" }, /^--name wants a name/],
  [{ name: "x".repeat(201) }, /^--name wants a name/],
  [{ threads: "0" }, /^--threads wants a whole number from 1/],
  [{ server: "ftp://x" }, /^--server wants the address/],
  [{ server: "http://name:secret@x" }, /^--server wants the address/],
  [{ server: "http://127.0.0.1:3000?x=1" }, /^--server wants the address/],
  [{ server: "http://127.0.0.1:3000/#x" }, /^--server wants the address/],
])("an option with which a worker would never work is refused: %j", (options, words) => {
  expect(() => read(options)).toThrow(WrongOption);
  expect(() => read(options)).toThrow(words);
});
