#!/usr/bin/env bash
# Measures Posthus beside Postfix + Dovecot and the disk's floors: one client, same machine, interleaved; prints the
# table for RESULTS.md. Needs root (Postfix does) and about 10 minutes.
#   tests/bench/run.sh [PART...]     parts: smtp pop3 imap logins idle large start (default: all)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/support/packages.sh
# shellcheck disable=SC2086
install_packages $build_packages
command -v postfix >/dev/null && command -v dovecot >/dev/null || tests/bench/peers.sh install
cmake --preset release >/dev/null
cmake --build build/release --target posthus mailbench floors >/dev/null
exec /usr/bin/python3 tests/bench/measure.py build/release "$@"
