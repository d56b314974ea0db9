import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { CALENDAR } from "../../src/domain/market/calendar.ts";
import { buildProvider, type ProviderEntry } from "../../src/providers/entry.ts";
import { loadEntry } from "../../src/providers/load-entry.ts";
import { findProvider, PROVIDERS } from "../../src/providers/registry.ts";

/** What can be compared of an entry: its functions are made anew. */
const dataOf = ({ name, title, summary, settings, declaration }: ProviderEntry) => ({
  ...{ name, title, summary, settings },
  declaration: declaration?.name,
});

test("a loaded entry is that of the registry, for every provider, an earlier name and an exchange of ccxt", async () => {
  for (const name of [...PROVIDERS.map((entry) => entry.name), "csv", "ccxt-kraken"])
    expect(dataOf(await loadEntry(name))).toEqual(dataOf(findProvider(name)!));
});

test("an entry of an unknown name cannot be loaded, and one that lacks a variable builds no provider", async () => {
  await expect(loadEntry("nope")).rejects.toThrow('There is no provider "nope" (known: demo, files, eodhd');
  await expect(loadEntry("toString")).rejects.toThrow('There is no provider "toString"');
  const entry = await loadEntry("csv");
  expect(() => buildProvider(entry, {}, CALENDAR)).toThrow('The provider "files" needs BARKEEP_CSV_DIR');
});

/** The files that a module loads before it runs, and those that it may load later. */
async function filesOf(module: string): Promise<{ first: string[]; later: string[] }> {
  const path = fileURLToPath(new URL(`../../${module}`, import.meta.url));
  const { metafile } = await Bun.build({ entrypoints: [path], target: "bun", metafile: true });
  const inputs = metafile!.inputs;
  const first = new Set<string>();
  const visit = (file: string) => {
    if (first.has(file) || inputs[file] === undefined) return;
    first.add(file);
    for (const { path, kind } of inputs[file].imports) if (kind !== "dynamic-import") visit(path);
  };
  visit(Object.keys(inputs).find((file) => file.endsWith(module))!);
  return { first: [...first], later: Object.keys(inputs).filter((file) => !first.has(file)) };
}

test("the thread of a worker starts without the adapters of vendors, without zod and without what other machines need", async () => {
  const { first, later } = await filesOf("src/pipeline/workers/worker.ts");
  expect(first.length).toBeGreaterThan(100);
  const isLate = (file: string) =>
    /providers\/(vendors|http|ccxt|demo|files)\/|node_modules\/zod\/|http-store\.ts$/.test(file);
  expect(first.filter(isLate)).toEqual([]);
  for (const part of ["vendors/eodhd.ts", "demo/demo-provider.ts", "node_modules/zod/", "remote/http-store.ts"])
    expect(later.some((file) => file.includes(part))).toBe(true);
});
