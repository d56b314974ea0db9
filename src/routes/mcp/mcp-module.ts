/** The optional package `@modelcontextprotocol/server`, loaded on first use. */

import type * as Sdk from "@modelcontextprotocol/server";
import { findPackage, installAdvice } from "../../installation.ts";
import { yieldToEvents } from "../../storage/db.ts";

export type McpModule = typeof Sdk;

const PACKAGE = "@modelcontextprotocol/server";
/** What the package is built on. */
const CORE = "@modelcontextprotocol/core";
export const INSTALL = installAdvice(`${PACKAGE}@2`);

/** The package; `null` if it is not installed. */
export async function loadMcp(name: string = PACKAGE, core: string = CORE): Promise<McpModule | null> {
  const [found, foundCore] = [findPackage(name), findPackage(core)];
  if (found === null) return null;
  // In two pieces, because evaluating all of it at once holds the thread for longer.
  if (foundCore !== null) {
    await import(foundCore);
    await yieldToEvents();
  }
  return (await import(found)) as McpModule;
}
