#!/usr/bin/env bash
# Measures outgoing mail: submission to remote delivery beside Postfix, a queue full of mail for dead domains, a slow
# destination. Needs root (Postfix does); nothing leaves loopback. About 10 minutes.
#   tests/bench/queue.sh [PART...]     parts: relay slow dead (default: all)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/support/packages.sh
# shellcheck disable=SC2086
install_packages $build_packages $test_packages
cmake --preset release >/dev/null
cmake --build build/release --target posthus mailbench >/dev/null
exec /usr/bin/python3 tests/bench/queue.py build/release "$@"
