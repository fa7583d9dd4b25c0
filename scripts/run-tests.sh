# Sourced: runs tests quietly. $deno is set by setup.sh.

# run_tests ARGUMENTS...: the arguments of `deno test`. Prints the count, or, when a test fails,
# everything that was said.
run_tests() {
  test_log=$(mktemp)
  if NO_COLOR=1 "$deno" test -A --no-check "$@" >"$test_log" 2>&1; then
    tail -n 2 "$test_log" | grep . || true
    rm -f "$test_log"
  else
    cat "$test_log"
    rm -f "$test_log"
    return 1
  fi
}

# run_units UNIT...: files and folders of tests, two at a time, each in a process of its own: most
# of them wait for peers most of the time. All are run, whatever fails.
run_units() {
  units=$(mktemp -d)
  printf '%s\n' "$@" | deno="$deno" units="$units" xargs -P 2 -n 1 sh -c '
    . scripts/run-tests.sh
    said="$units/$(echo "$1" | tr / _)"
    begun=$(date +%s)
    if run_tests "$1" >"$said" 2>&1; then
      echo "== $1: $(cat "$said") after $(($(date +%s) - begun)) s"
    else
      echo "== $1: FAILED"
      cat "$said"
      : >"$units/failed"
    fi' sh
  tests_passed=$(cat "$units"/* | sed -n "s/^ok | .*(\([0-9]*\) steps*).*/\1/p" |
    awk '{ sum += $1 } END { print sum + 0 }')
  failed=0
  [ ! -e "$units/failed" ] || failed=1
  rm -rf "$units"
  return "$failed"
}
