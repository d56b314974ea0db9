#!/bin/sh
# Runs Bun for the scripts of package.json: the one on PATH, otherwise the pinned version that npx downloads, so that
# Node.js is enough. It is put on PATH for nested scripts, and replaces this shell, so that signals reach it.
if ! command -v bun >/dev/null 2>&1; then
  found=$(npx --yes --package=bun@1.4.5 --call='command -v bun') || exit 1
  PATH=$(dirname "$found"):$PATH
fi
# Freed memory is given back after ten seconds without use, and searched for unused pages as seldom (milliseconds): with the
# allocator's 100 ms, what a run needs again at once was given back and asked for all the time.
export MIMALLOC_PURGE_DELAY="${MIMALLOC_PURGE_DELAY:-10000}"
export MIMALLOC_PURGE_HOLES_MIN_INTERVAL="${MIMALLOC_PURGE_HOLES_MIN_INTERVAL:-10000}"
exec bun "$@"
