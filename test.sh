#!/usr/bin/env bash
# Runs every test of Posthus and ends with one line "N passed, N failed".
#   ./test.sh         installs what is missing, builds (release, ASan+UBSan, TSan for store, net and smtp), runs everything
#   ./test.sh quick   debug build, lints, unit tests, dialogs and corpus replay: for daily work
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. tests/support/packages.sh
. tests/support/count.sh
mode=${1:-full}
case $mode in full|quick) ;; *) echo "usage: ./test.sh [quick]" >&2; exit 2 ;; esac

# shellcheck disable=SC2086
install_packages $build_packages $test_packages $(panel_packages) || exit 1

# build PRESET TARGETS...
build() {
  local preset=$1 log=build-$1.log; shift
  if cmake --preset "$preset" >"$log" 2>&1 && cmake --build "build/$preset" --target "$@" >>"$log" 2>&1; then
    rm -f "$log"
  else
    tail -n 40 "$log"
    return 1
  fi
}

# must COMMAND...: a build counts as a test; without it nothing that follows can run.
must() {
  local name=${*:1:2}
  if "$@"; then passed; else
    failed "$name"
    finish
  fi
}

# The builds with sanitizers, in the order in which their tests run.
sanitized_builds() {
  build asan all && build tsan unit_core_net unit_store unit_smtp
}

# tests_of PRESET: every unit test, dialog and fuzz replay of that build. The store's come first: they take longest, and nothing runs
# beside what is left at the end.
tests_of() {
  local program
  for program in build/"$1"/tests/{unit_store,unit_*,sessions_*,*_fuzz}; do
    [ -x "$program" ] && [ -f "$program" ] && echo "$program"
  done | awk '!seen[$0]++'
}

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=second_deadlock_stack=1

# panel_tests: the panel's types and logic (web-admin/ui). Its packages come with the build.
panel_tests() {
  step "panel"
  check "panel types" npm --prefix web-admin/ui run --silent check
  counted npm --prefix web-admin/ui run --silent test
}

step "lints"
for lint in tests/lint/*_law.py tests/lint/rfc_index.py; do check "lint $(basename "$lint" .py)" /usr/bin/python3 "$lint"; done

if [ "$mode" = quick ]; then
  step "build debug"
  must build debug all
  # shellcheck disable=SC2046
  compiled_tests debug $(tests_of debug)
  panel_tests
  finish
fi

step "build release"
must build release posthus mailbench
panel_tests

# Tests over real sockets wait more than they compute: meanwhile the processor builds what is tested last, at the lowest weight.
nice -n 19 bash -c "$(declare -f build sanitized_builds); sanitized_builds" &
sanitized=$!
step "end to end with stock clients, and beside them the panel in a browser"
beside browser /usr/bin/python3 tests/browser/run.py build/release/posthus
counted /usr/bin/python3 tests/interop/run.py build/release/posthus
step "the panel in a browser"
joined browser
step "kill -9 under load"
counted /usr/bin/python3 tests/crash/run.py build/release/posthus --rounds 12
counted /usr/bin/python3 tests/crash/relay.py build/release/posthus --rounds 6

step "containers"
# shellcheck disable=SC2086
install_packages $container_packages || echo "The packages for containers cannot be installed: their tests may be skipped."
counted /usr/bin/python3 tests/container/run.py build/release/posthus build/release/tests/mailbench

step "disk faults"
counted /usr/bin/python3 tests/crash/faults.py build/release/posthus

step "build asan and tsan"
must wait "$sanitized"
step "unit tests, dialogs and replays under ASan and UBSan"
# shellcheck disable=SC2046
compiled_tests asan $(tests_of asan)
step "what has threads, under TSan"
compiled_tests tsan build/tsan/tests/unit_core_net build/tsan/tests/unit_store build/tsan/tests/unit_smtp
finish
