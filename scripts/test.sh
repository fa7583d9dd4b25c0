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

. scripts/run-tests.sh
# The long ones first, so that none of them is left alone at the end.
run_units test/integration/load-balancer test/integration/odb test/e2e/*.test.ts \
  $(ls -d test/simulation test/faults test/integration/* | grep -v -e /load-balancer -e /odb)
printf '%s passed, 0 failed\n' "$tests_passed"
