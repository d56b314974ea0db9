/**
 * Writes the bill of the packages that a server runs with, as CycloneDX 1.6 in JSON, from bun.lock: `bun run sbom [FILE]`,
 * to stdout without a file.
 */

import { randomUUID } from "node:crypto";
import { dependencies, name, version } from "../package.json";
import { closureOf, type LockedPackage, licenceOf } from "./lock.ts";

/** The identifiers of SPDX that packages of ours use. */
const SPDX = new Set(["MIT", "MIT-0", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "MPL-2.0"]);

/** Name and version as a package URL: the scope's `@` is escaped, and there is no host in it. */
const purlOf = (each: { name: string; version: string }) =>
  `pkg:npm/${each.name.replace(/^@/, "%40")}@${encodeURIComponent(each.version)}`;

/** `sha512-…` in Base64 as CycloneDX writes it: the algorithm's name and hexadecimal digits. */
function hashOf(integrity: string) {
  const [algorithm = "", digest = ""] = integrity.split("-");
  return {
    alg: algorithm.toUpperCase().replace("SHA", "SHA-"),
    content: Buffer.from(digest, "base64").toString("hex"),
  };
}

/** One component. Packages for other platforms are in the lock file but not installed, so their licence is left out. */
async function componentOf(locked: LockedPackage) {
  const licence = await licenceOf(locked);
  const { name, version, integrity } = locked;
  return {
    type: "library",
    "bom-ref": purlOf(locked),
    name,
    version,
    purl: purlOf(locked),
    ...(licence !== null && { licenses: [licenceChoice(licence)] }),
    ...(integrity !== null && { hashes: [hashOf(integrity)] }),
  };
}

/** The form for a licence: only identifiers of SPDX are an `id`; htmx's `BSD-0-Clause`, for example, is none. */
function licenceChoice(licence: string) {
  if (/ (OR|AND|WITH) /.test(licence)) return { expression: licence };
  return { license: SPDX.has(licence) ? { id: licence } : { name: licence } };
}

/** The whole bill. The same lock file and installation give the same components. */
export async function billOfMaterials(now: Date = new Date()) {
  const locked = closureOf(Object.keys(dependencies));
  const refs = new Map(locked.map((each) => [each.key, purlOf(each)]));
  const root = purlOf({ name, version });
  const needs = (keys: readonly string[]) => keys.flatMap((key) => refs.get(key) ?? []).sort();
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${randomUUID()}`,
    version: 1,
    metadata: {
      timestamp: now.toISOString(),
      lifecycles: [{ phase: "build" }],
      component: { type: "application", "bom-ref": root, name, version, purl: root },
    },
    components: await Promise.all(locked.map(componentOf)),
    dependencies: [
      { ref: root, dependsOn: needs(Object.keys(dependencies)) },
      ...locked.map((each) => ({ ref: purlOf(each), dependsOn: needs(each.needs) })),
    ],
  };
}

if (import.meta.main) {
  const text = `${JSON.stringify(await billOfMaterials(), null, 2)}\n`;
  const path = process.argv[2];
  if (path === undefined) process.stdout.write(text);
  else await Bun.write(path, text);
}
