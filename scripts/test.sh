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

# One folder after another: each starts real peers and needs the machine for itself.
. scripts/run-tests.sh
for folder in test/simulation test/faults test/integration/* test/e2e; do
  printf '%s\n' "== $folder"
  run_tests "$folder"
done
printf '%s passed, 0 failed\n' "$tests_passed"
