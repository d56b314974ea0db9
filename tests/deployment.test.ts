/** The examples of docs/deploy.md, about settings and files that exist; and the bill of what is deployed. */

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { billOfMaterials } from "../.ci/sbom.ts";
import lock from "../bun.lock";
import { COMPILER_SETTING } from "../src/cli/compiler-setting.ts";

const read = (path: string) => Bun.file(path).text();
const FILES = [
  "Dockerfile",
  ...["compose.yml", "machines.yml", "barkeep.service", "Caddyfile", "nginx.conf"].map((each) => `docs/deploy/${each}`),
];

test.each(FILES)("%s names only settings that there are", async (file) => {
  const known = (await read("src/config.ts")) + (await read("src/config/places.ts"));
  const named = [...(await read(file)).matchAll(/\bBARKEEP_[A-Z_]+/g)].map(([name]) => name);
  expect(named.filter((name) => !known.includes(`"${name}"`))).toEqual([]);
});

test("all that starts Bun gives its compiler the setting of the executable", async () => {
  const { name, value } = COMPILER_SETTING;
  const given = async (file: string) => (await read(file)).match(RegExp(`${name}(?:="\\$\\{${name}:-|=)(\\d+)`))?.[1];
  const files = ["bun.sh", "Dockerfile", "docs/deploy/barkeep.service"];
  expect(await Promise.all(files.map(given))).toEqual(files.map(() => value));
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

test("the composed machines open no port of Redis, evict no job, and give workers neither a volume nor a port", async () => {
  const { services } = Bun.YAML.parse(await read("docs/deploy/machines.yml")) as {
    services: Record<string, { ports?: string[]; volumes?: string[]; command: string[]; environment: object }>;
  };
  const { redis, worker, barkeep } = services;
  expect(redis!.ports).toBeUndefined();
  expect(redis!.command.join(" ")).toContain("--maxmemory-policy noeviction");
  expect(redis!.command).toContain("--requirepass");
  expect([worker!.ports, worker!.volumes]).toEqual([undefined, undefined]);
  expect(worker!.command).toContain("worker");
  expect(JSON.stringify(barkeep!.environment)).toContain("REDIS_PASSWORD:?");
  // Not the secrets of the server, nor the keys of providers.
  expect(Object.keys(worker!.environment)).toEqual(["BARKEEP_TOKEN", "BARKEEP_QUEUE"]);
});

test("the unit keeps the file system read-only, and leaves the engine its memory", async () => {
  const unit = await read("docs/deploy/barkeep.service");
  for (const line of ["DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "StateDirectory=barkeep"]) {
    expect(unit.split("\n")).toContain(line);
  }
  expect(unit).not.toMatch(/^MemoryDenyWriteExecute=yes/m);
});

test("the bill of materials is CycloneDX 1.6 and has each package that a production installation may have", async () => {
  const bill = await billOfMaterials();
  expect(bill).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1 });
  expect(bill.serialNumber).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
  const refs = bill.components.map((each) => each["bom-ref"]);
  expect(new Set(refs).size).toBe(refs.length);
  expect(refs.toSorted()).toEqual(productionPurls());
  for (const { hashes, licenses, name } of bill.components) {
    expect(hashes).toEqual([{ alg: "SHA-512", content: expect.stringMatching(/^[0-9a-f]{128}$/) }]);
    if (!name.startsWith("@libsql/")) expect(licenses).toHaveLength(1);
  }
  const known = new Set([bill.metadata.component["bom-ref"], ...refs]);
  expect(new Set(bill.dependencies.map(({ ref }) => ref))).toEqual(known);
  expect(bill.dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !known.has(ref))).toEqual([]);
});

test("the bill of materials names no host that packages were downloaded from", async () => {
  const { $schema, ...bill } = await billOfMaterials();
  expect(JSON.stringify(bill)).not.toMatch(/https?:|registry/);
});

/** What `bun install --production` may install, read from the text of bun.lock: names alone, nested copies aside. */
function productionPurls(): string[] {
  const info = (key: string) => (lock.packages[key] as [string, string, Bun.BunLockFilePackageInfo, string])[2];
  const found = new Set<string>();
  const visit = (name: string, parent: string) => {
    const key = [`${parent}/${name}`, name].find((each) => lock.packages[each] !== undefined);
    if (key === undefined || found.has(key)) return;
    found.add(key);
    const { dependencies, optionalDependencies, peerDependencies } = info(key);
    for (const each of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) visit(each, key);
  };
  for (const name of Object.keys(lock.workspaces[""]!.dependencies!)) visit(name, "");
  return [...found].map((key) => `pkg:npm/${lock.packages[key]![0].replace(/^@/, "%40")}`).sort();
}
