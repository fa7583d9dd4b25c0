#!/bin/sh
# Runs the benchmarks. Nothing asserts their figures: they are to be read, and quoted with the command.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh
ensure_dependencies
exec "$deno" run -A --no-check bench/main.ts "$@"
