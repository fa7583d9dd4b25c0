#!/bin/sh
# Format, lint, types, dead code, unit and tidy tests: what must be green before every commit.
# `--fix` formats and regenerates instead of complaining.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh
ensure_dependencies

step() { printf '%s\n' "== $1"; shift; "$@"; }

sources="src test bench examples scripts web-admin/server web-admin/shared"
if [ "${1:-}" = "--fix" ]; then
  "$deno" fmt --quiet $sources web-admin/src ./*.md docs
  "$deno" run -A scripts/reference.ts --write
fi
step "format" "$deno" fmt --quiet --check $sources web-admin/src ./*.md docs
step "lint" "$deno" lint --quiet $sources
step "promises and cycles" node_modules/.bin/oxlint --quiet --type-aware $sources
step "types" "$deno" check --quiet $sources
step "types of the web admin" npm run --silent check -w web-admin
step "dead code" node_modules/.bin/knip --no-progress
step "reference pages" "$deno" run -A scripts/reference.ts
. scripts/run-tests.sh
step "unit and tidy tests" run_tests --parallel src web-admin/server test/tidy.test.ts
