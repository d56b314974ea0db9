/** The examples of docs/deploy.md: readable by their programs, and about settings and files that exist. */

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";

const read = (path: string) => Bun.file(path).text();
const FILES = [
  "Dockerfile",
  ...["compose.yml", "barkeep.service", "Caddyfile", "nginx.conf"].map((each) => `docs/deploy/${each}`),
];

test.each(FILES)("%s names only settings that there are", async (file) => {
  const known = await read("src/config.ts");
  const named = [...(await read(file)).matchAll(/\bBARKEEP_[A-Z_]+/g)].map(([name]) => name);
  expect(named.filter((name) => !known.includes(`"${name}"`))).toEqual([]);
});

test("the image runs the pinned Bun as another user than root, with what the server reads and nothing else", async () => {
  const lines = (await read("Dockerfile")).replaceAll(/\\\n\s*/g, "").split("\n");
  const { engines } = await Bun.file("package.json").json();
  const version = engines.bun.replace(">=", "");
  for (const line of lines.filter((each) => each.startsWith("FROM "))) expect(line).toContain(`bun:${version}-slim`);
  expect(lines.indexOf("USER bun")).toBeLessThan(lines.findIndex((line) => line.startsWith("CMD ")));
  expect(lines.filter((line) => line.startsWith("HEALTHCHECK "))).toHaveLength(1);
  const copied = lines.filter((line) => /^COPY (?!--from)/.test(line)).flatMap((line) => line.split(" ").slice(1, -1));
  const sent = (await read(".dockerignore"))
    .split("\n")
    .flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
  expect(copied.filter((path) => !existsSync(path) || !sent.includes(path))).toEqual([]);
});

test("the composed service opens its port on this machine only, and demands a password", async () => {
  const { services, volumes } = Bun.YAML.parse(await read("docs/deploy/compose.yml")) as {
    services: {
      barkeep: { ports: string[]; volumes: string[]; read_only: boolean; environment: Record<string, string> };
    };
    volumes: object;
  };
  const { ports, environment, read_only: isReadOnly, volumes: mounted } = services.barkeep;
  expect(ports).toEqual(["127.0.0.1:3000:3000"]);
  expect(environment.BARKEEP_PASSWORD).toContain(":?");
  expect(isReadOnly).toBe(true);
  expect(mounted.map((each) => each.split(":")[0]!)).toEqual(Object.keys(volumes));
});

test("the unit keeps the file system read-only, and leaves the engine its memory", async () => {
  const unit = await read("docs/deploy/barkeep.service");
  for (const line of ["DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "StateDirectory=barkeep"]) {
    expect(unit.split("\n")).toContain(line);
  }
  expect(unit).not.toMatch(/^MemoryDenyWriteExecute=yes/m);
});
