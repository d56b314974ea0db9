/** Every setting is documented in all the places where users look for it. */

import { expect, test } from "bun:test";
import { PROVIDERS } from "../src/providers/registry.ts";

const source = await Bun.file("src/config.ts").text();
const own = [...source.matchAll(/read\.\w+\(\s*"([A-Z_]+)"/g)].map(([, variable]) => variable!);
const providers = PROVIDERS.flatMap(({ settings }) => settings.map(({ variable }) => variable));

test.each(["README.md", ".env.example"])("%s names every variable", async (file) => {
  const text = await Bun.file(file).text();
  expect(own.length).toBeGreaterThan(5);
  expect([...own, ...providers].filter((variable) => !text.includes(variable))).toEqual([]);
});
