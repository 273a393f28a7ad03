# Counting for test.sh: every test counts as one, whatever runs it. Sourced, not run.
passed_total=0
failed_total=0
failures=()
skips=()
declare -A beside_log beside_pid

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

# side_by_side FOLDER: runs the lines on standard input, NAME PROGRAM [ARGUMENT], two at a time; what each printed and how it ended
# go to FOLDER/NAME.log and FOLDER/NAME.status. Each gets 15 minutes. Of NAME.1 and NAME.2 either runs half of the program's tests.
side_by_side() {
  # shellcheck disable=SC2016
  xargs -P 2 -L 1 bash -c '
    case $1 in *.[12]) export GTEST_TOTAL_SHARDS=2 GTEST_SHARD_INDEX=$((${1##*.} - 1)) ;; esac
    timeout 900 "${@:2}" >"$0/$1.log" 2>&1
    echo $? >"$0/$1.status"' "$1"
}

# google_test BUILD NAME LOG STATUS: counts the tests GoogleTest reports in LOG; a crash counts as one more failure.
google_test() {
  local name log=$3 passes fails status=$4
  name="$1 $2"
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
}

# compiled_tests BUILD PROGRAM...: GoogleTest programs, and *_fuzz, which replay their corpus and count as one test each.
compiled_tests() {
  local build=$1 program logs name status lines=()
  shift
  logs=$(mktemp -d)
  for program in "$@"; do
    name=$(basename "$program")
    case $name in
      *_fuzz) lines+=("$name $program tests/fuzz/corpus/$name") ;;
      unit_store) lines+=("$name.1 $program --gtest_brief=1" "$name.2 $program --gtest_brief=1") ;;  # the one that takes longest
      *) lines+=("$name $program --gtest_brief=1") ;;
    esac
  done
  printf '%s\n' "${lines[@]}" | side_by_side "$logs"
  for name in "${lines[@]%% *}"; do
    status=$(cat "$logs/$name.status" 2>/dev/null || echo 1)
    case $name in
      *_fuzz)
        if [ "$status" -eq 0 ]; then passed; else
          tail -n 60 "$logs/$name.log"
          failed "replay $name"
        fi ;;
      *) google_test "$build" "$name" "$logs/$name.log" "$status" ;;
    esac
  done
  rm -rf "$logs"
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

# beside NAME COMMAND...: starts a program as `counted` has it while others run; joined NAME waits for it and counts.
beside() {
  local name=$1
  shift
  beside_log[$name]=$(mktemp)
  "$@" >"${beside_log[$name]}" 2>&1 &
  beside_pid[$name]=$!
}
joined() {
  local status=0
  wait "${beside_pid[$1]}" || status=$?
  counted bash -c 'cat "$0"; exit "$1"' "${beside_log[$1]}" "$status"
  rm -f "${beside_log[$1]}"
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
