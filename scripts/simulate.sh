#!/bin/sh
# A million random schedules of a simulated cluster: npm run simulate [-- --schedules N | --seed N]
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh
ensure_dependencies
exec "$deno" run -A --no-check test/simulation/main.ts "$@"
