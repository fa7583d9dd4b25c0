# Sourced: runs tests quietly. $deno is set by setup.sh.

tests_passed=0

# run_tests ARGUMENTS...: the arguments of `deno test`. Prints the count, or, when a test fails,
# everything that was said. Adds to $tests_passed.
run_tests() {
  test_log=$(mktemp)
  if NO_COLOR=1 "$deno" test -A --no-check "$@" >"$test_log" 2>&1; then
    tail -n 2 "$test_log" | grep . || true
    steps=$(sed -n 's/^ok | .*(\([0-9]*\) steps*).*/\1/p' "$test_log" | tail -n 1)
    tests_passed=$((tests_passed + ${steps:-0}))
    rm -f "$test_log"
  else
    cat "$test_log"
    rm -f "$test_log"
    return 1
  fi
}
