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
