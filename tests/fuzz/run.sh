#!/usr/bin/env bash
# Drives the fuzz targets with libFuzzer (ASan+UBSan), two at a time.
#   tests/fuzz/run.sh SECONDS [TARGET...]      default: every target
# New inputs go to build/fuzz/corpus/<target>; a crash is written to build/fuzz/crashes and fails the run. What was found
# becomes a file of tests/fuzz/corpus/<target> together with its fix.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/support/packages.sh
seconds=${1:?seconds per target}
shift
cmake --preset fuzz >/dev/null
if [ $# -eq 0 ]; then
  set --
  for source in tests/fuzz/*_fuzz.cc; do set -- "$@" "$(basename "$source" .cc)"; done
fi
cmake --build build/fuzz --target "$@"
mkdir -p build/fuzz/crashes
export seconds

one() {
  local target=$1 grown=build/fuzz/corpus/$1 seeds=tests/fuzz/corpus/$1 dictionary=tests/fuzz/$1.dict options=()
  mkdir -p "$grown"
  [ -f "$dictionary" ] && options+=("-dict=$dictionary")
  if build/fuzz/tests/"$target" "$grown" "$seeds" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
    -artifact_prefix=build/fuzz/crashes/"$target"- "${options[@]}" >build/fuzz/"$target".log 2>&1; then
    echo "ok $target: $(grep -o 'stat::number_of_executed_units:.*\|Done [0-9]* runs.*' build/fuzz/"$target".log | tail -n 1)"
  else
    tail -n 30 build/fuzz/"$target".log
    echo "not ok $target"
    return 1
  fi
}
export -f one
printf '%s\n' "$@" | xargs -P 2 -I{} bash -c 'one {}'
