import { describe, expect, test } from "bun:test";
import { CALENDAR } from "../../src/domain/market/calendar.ts";
import { missingSettings } from "../../src/providers/entry.ts";
import { createProvider, findProvider, PROVIDERS, whyNotUsable } from "../../src/providers/registry.ts";

/** A value for every variable of every provider. */
const values = Object.fromEntries(
  PROVIDERS.flatMap(({ settings }) => settings.map((s) => [s.variable, s.wants ?? s.default ?? "set"])),
);

describe("the registry", () => {
  test("the registry builds every provider under its own name and title", () => {
    for (const entry of PROVIDERS) {
      const provider = createProvider(entry.name, values, CALENDAR);
      expect([provider.name, provider.title]).toEqual([entry.name, entry.title]);
    }
  });

  test("the registry has each name and each variable once", () => {
    const names = PROVIDERS.map(({ name }) => name);
    const variables = PROVIDERS.flatMap(({ settings }) => settings.map(({ variable }) => variable));
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(variables).size).toBe(variables.length);
  });

  test("the registry finds the provider of files by its earlier name too", () => {
    expect(findProvider("csv")?.name).toBe("files");
    expect(createProvider("csv", { BARKEEP_CSV_DIR: "bars" }, CALENDAR).name).toBe("files");
  });

  test("the registry refuses an unknown name and lists the known ones", () => {
    expect(() => createProvider("nope", {}, CALENDAR)).toThrow('There is no provider "nope" (known: demo, files');
  });

  test("the registry names the variables that a provider lacks", () => {
    expect(missingSettings(findProvider("files")!, {})).toEqual(["BARKEEP_CSV_DIR"]);
    expect(missingSettings(findProvider("yahoo")!, { YAHOO: "off" })).toEqual(["YAHOO=on"]);
    expect(whyNotUsable("yahoo")).toBe("Yahoo Finance is not set up: it needs YAHOO=on (environment or settings page)");
    expect(whyNotUsable("nope")).toStartWith('"nope" is not a known provider (known: demo, files, eodhd, ');
    expect(() => createProvider("files", { BARKEEP_CSV_DIR: "" }, CALENDAR)).toThrow('"files" needs BARKEEP_CSV_DIR');
  });
});

test("docs/adding-a-provider.md explains every kind of provider error and every field of a declaration", async () => {
  const read = (path: string) => Bun.file(new URL(`../../${path}`, import.meta.url)).text();
  const text = await read("docs/adding-a-provider.md");
  const kinds = /PROVIDER_ERROR_KINDS = \[([^\]]*)\]/.exec(await read("src/domain/errors.ts"))![1]!.match(/\w+/g)!;
  const vendor = await read("src/providers/http/vendor-spec.ts");
  const declaration = /export interface VendorSpec<Answer> \{([\s\S]*?)\n\}/.exec(vendor)![1]!;
  const fields = [...declaration.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map((match) => match[1]!);
  expect([kinds.length, fields.length > 12]).toEqual([9, true]);
  for (const word of [...kinds, ...fields]) expect(text).toContain(`\`${word}\``);
});
