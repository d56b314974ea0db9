/** The optional package `@modelcontextprotocol/server`, loaded on first use. */

import type * as Sdk from "@modelcontextprotocol/server";
import { yieldToEvents } from "../../storage/db.ts";

export type McpModule = typeof Sdk;

const PACKAGE = "@modelcontextprotocol/server";
/** What the package is built on. */
const CORE = "@modelcontextprotocol/core";
export const INSTALL = `bun add --optional --omit=dev ${PACKAGE}@2, then start Barkeep again`;

/** The package; `null` if it is not installed. A parameter, so that nothing looks for it before it is needed. */
export async function loadMcp(name: string = PACKAGE, core: string = CORE): Promise<McpModule | null> {
  if (!isInstalled(name)) return null;
  // In two pieces, because evaluating all of it at once holds the thread for longer.
  if (isInstalled(core)) {
    await import(core);
    await yieldToEvents();
  }
  return (await import(name)) as McpModule;
}

function isInstalled(name: string): boolean {
  try {
    return import.meta.resolve(name) !== "";
  } catch {
    return false;
  }
}
