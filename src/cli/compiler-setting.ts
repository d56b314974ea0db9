/** How often code must have run before JavaScriptCore compiles it once more, with all optimizations. */

/**
 * Read by the engine when its process starts. The engine's own value, 64,000, suits pages in a browser: a third of a run's
 * processor time went into code that ran for a second. docs/decisions/0021-code-is-compiled-later.md says where else it is set.
 */
export const COMPILER_SETTING = { name: "BUN_JSC_thresholdForFTLOptimizeAfterWarmUp", value: "200000" } as const;

/**
 * Starts the single executable again in the same process, with the setting, unless its environment has one: only a
 * process that starts can take it. A checkout has it from the script that starts Bun.
 */
export function applyCompilerSetting(): void {
  const { name, value } = COMPILER_SETTING;
  if (!Bun.isStandaloneExecutable || process.platform === "win32" || process.env[name] !== undefined) return;
  const { execPath, argv, env } = process;
  process.execve?.(execPath, [execPath, ...argv.slice(2)], { ...env, [name]: value });
}
