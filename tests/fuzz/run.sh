#!/usr/bin/env bash
# Drives the fuzz targets with libFuzzer (ASan+UBSan), two at a time.
#   tests/fuzz/run.sh SECONDS [TARGET...]      default: every target; SECONDS of processor time each, so that a busy
#                                              machine does not pass for a long run
#   TIMEOUT=SECONDS                            limit of one input, by the clock (default 10): more beside other work
# The session targets get the dialogs as seeds as well (seeds.py), each protocol has a dictionary (<protocol>.dict).
# New inputs go to build/fuzz/corpus/<target>; a crash is written to build/fuzz/crashes and fails the run. What was found
# becomes a file of tests/fuzz/corpus/<target> together with its fix.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/support/packages.sh
seconds=${1:?processor seconds per target}
shift
cmake --preset fuzz >/dev/null
if [ $# -eq 0 ]; then
  set --
  for source in tests/fuzz/*_fuzz.cc; do set -- "$@" "$(basename "$source" .cc)"; done
fi
cmake --build build/fuzz -j 2 --target "$@"
mkdir -p build/fuzz/crashes
rm -rf build/fuzz/seeds
/usr/bin/python3 tests/fuzz/seeds.py build/fuzz/seeds
for target in summary_fuzz header_fuzz; do ln -s "$PWD/tests/golden/mime" "build/fuzz/seeds/$target"; done
export seconds

# Processor seconds (user and system) a process has used; fails when it has ended.
processor_seconds() {
  local fields
  fields=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # shellcheck disable=SC2086
  set -- ${fields##*) }
  [ "$1" != Z ] || return 1
  echo $(((${12} + ${13}) / $(getconf CLK_TCK)))
}
export -f processor_seconds

# -entropic=0: its schedule alone took more than half of the time of the session targets.
one() {
  local target=$1 grown=build/fuzz/corpus/$1 seeds=tests/fuzz/corpus/$1 dictionary=tests/fuzz/${1%%_*}.dict options=()
  mkdir -p "$grown" "build/fuzz/seeds/$target"
  [ -f "$dictionary" ] && options+=("-dict=$dictionary")
  build/fuzz/tests/"$target" "$grown" "$seeds" "build/fuzz/seeds/$target" -entropic=0 -timeout="${TIMEOUT:-10}" -rss_limit_mb=2048 -max_len=65536 \
    -artifact_prefix=build/fuzz/crashes/"$target"- -print_final_stats=1 "${options[@]}" >build/fuzz/"$target".log 2>&1 &
  local fuzzer=$! now used=0 code=0
  while now=$(processor_seconds "$fuzzer"); do
    used=$now
    [ "$used" -lt "$seconds" ] || break
    sleep 1
  done
  kill -USR1 "$fuzzer" 2>/dev/null || true  # libFuzzer ends orderly, with its statistics
  wait "$fuzzer" || code=$?
  # WHY: a fuzzer that somebody ended early must not pass for a whole run.
  if [ "$code" = 0 ] && [ "$used" -ge "$seconds" ]; then
    echo "ok $target: $used processor seconds, $(grep -o 'stat::number_of_executed_units:.*' build/fuzz/"$target".log | tail -n 1)"
  else
    tail -n 30 build/fuzz/"$target".log
    echo "not ok $target"
    return 1
  fi
}
export -f one
printf '%s\n' "$@" | xargs -P 2 -I{} bash -c 'one {}'
