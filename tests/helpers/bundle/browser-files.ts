/** The files of the browser, unpacked once for all processes of the tests and all later runs. */

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import chromium from "@sparticuz/chromium";

const { version } = JSON.parse(
  readFileSync(Bun.resolveSync("@sparticuz/chromium/package.json", import.meta.dirname), "utf8"),
) as { version: string };
const FOLDER = join(import.meta.dirname, "../../../node_modules/.cache/barkeep-browser", version);

/**
 * Unpacks the browser unless it is, and returns its executable. The package does it in the folder for temporary files, and
 * is done before all is written: a browser that was started then crashed. So another process does it, and its end is awaited.
 * @throws Error if it cannot be unpacked
 */
export function browserExecutable(): string {
  const executable = join(FOLDER, "chromium");
  if (existsSync(FOLDER)) return executable;
  const draft = `${FOLDER}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  const env = { ...process.env, TMPDIR: draft };
  const { success, stderr } = Bun.spawnSync([process.execPath, "--no-env-file", import.meta.path, draft], { env });
  if (!success) throw new Error(`the browser cannot be unpacked: ${stderr}`);
  try {
    renameSync(draft, FOLDER);
  } catch (error) {
    // Another process was first.
    rmSync(draft, { recursive: true });
    if (!existsSync(FOLDER)) throw error;
  }
  return executable;
}

if (import.meta.main) {
  if (process.argv[2] === undefined) browserExecutable();
  else await chromium.executablePath();
}
