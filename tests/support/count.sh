# Counting for test.sh: every test counts as one, whatever runs it. Sourced, not run.
passed_total=0
failed_total=0
failures=()
skips=()

step() { printf '\n== %s (%s)\n' "$1" "$(date +%T)"; }
passed() { passed_total=$((passed_total + 1)); }
failed() {
  failed_total=$((failed_total + 1))
  failures+=("$1")
  echo "FAILED: $1"
}

# check NAME COMMAND...: one test; its output is shown only when it fails.
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then passed; else
    tail -n 60 <<<"$output"
    failed "$name"
  fi
}

# google_test BUILD PROGRAM: counts the tests GoogleTest reports; a crash counts as one more failure.
google_test() {
  local name log passes fails status
  name="$1 $(basename "$2")"
  log=$(mktemp)
  timeout 900 "$2" --gtest_brief=1 >"$log" 2>&1
  status=$?
  passes=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -n 1)
  fails=$(sed -n 's/^ *\([0-9]*\) FAILED TEST.*/\1/p' "$log" | tail -n 1)
  passed_total=$((passed_total + ${passes:-0}))
  if [ "$status" -ne 0 ]; then
    tail -n 80 "$log"
    failed_total=$((failed_total + ${fails:-1}))
    failures+=("$name")
  elif [ -z "$passes" ] || [ "$passes" -eq 0 ]; then
    failed "$name ran no test"
  fi
  echo "$name: ${passes:-0} passed, $([ "$status" -eq 0 ] && echo 0 || echo "${fails:-1}") failed"
  rm -f "$log"
}

# counted COMMAND...: a program that prints a line "ok NAME" or "not ok NAME" for each of its tests, or "skip NAME: WHY" for one that
# cannot be run here: that counts as nothing, and is listed at the end.
counted() {
  local log ok not_ok skipped status
  log=$(mktemp)
  "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  ok=$(grep -c '^ok ' "$log")
  not_ok=$(grep -c '^not ok ' "$log")
  passed_total=$((passed_total + ok))
  failed_total=$((failed_total + not_ok))
  skipped=$(grep -c '^skip ' "$log")
  while read -r line; do failures+=("${line#not ok }"); done < <(grep '^not ok ' "$log")
  while read -r line; do skips+=("${line#skip }"); done < <(grep '^skip ' "$log")
  if [ "$status" -ne 0 ] && [ "$not_ok" -eq 0 ]; then failed "$* ended with $status"; fi
  if [ "$ok" -eq 0 ] && [ "$not_ok" -eq 0 ] && [ "$skipped" -eq 0 ] && [ "$status" -eq 0 ]; then failed "$* ran no test"; fi
  rm -f "$log"
}

finish() {
  if [ "${#skips[@]}" -gt 0 ]; then
    printf '\nSkipped, neither passed nor failed:\n'
    printf '  %s\n' "${skips[@]}"
  fi
  if [ "$failed_total" -gt 0 ]; then
    printf '\nFailed:\n'
    printf '  %s\n' "${failures[@]}"
  fi
  echo "$passed_total passed, $failed_total failed"
  [ "$failed_total" -eq 0 ] && [ "$passed_total" -gt 0 ]
  exit
}
