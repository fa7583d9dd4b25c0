#!/bin/sh
# Everything: dependencies, real peers from Debian packages, checks, then all tests.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh
ensure_dependencies
ensure_web_admin
. scripts/peers.sh
ensure_peers

sh scripts/check.sh

printf '%s\n' "== integration and end-to-end tests"
"$deno" test -A --no-check test/integration test/e2e
