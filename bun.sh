#!/bin/sh
# Runs Bun for the scripts of package.json: the one on PATH, otherwise the pinned version that npx downloads, so that
# Node.js is enough. It is put on PATH for nested scripts, and replaces this shell, so that signals reach it.
if ! command -v bun >/dev/null 2>&1; then
  find_bun() { npx "$@" --yes --package=bun@1.4.5 --call='command -v bun'; }
  # Without --offline npx asks the registry for what it has already, and waits a minute where there is no network.
  found=$(find_bun --offline 2>/dev/null) || {
    echo "Downloading Bun 1.4.5, once for each user." >&2
    found=$(find_bun) || exit 1
  }
  PATH=$(dirname "$found"):$PATH
fi
# Code that runs for a second only is not worth its last compilation (src/cli/compiler-setting.ts).
export BUN_JSC_thresholdForFTLOptimizeAfterWarmUp="${BUN_JSC_thresholdForFTLOptimizeAfterWarmUp:-200000}"
exec bun "$@"
