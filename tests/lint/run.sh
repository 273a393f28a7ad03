#!/usr/bin/env bash
# Runs every lint of this folder; prints their findings and, at the end, one line with the count of each. Fails if any has findings.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
failed=0
summary=()
for law in size_law include_law coroutine_law format_law rfc_index; do
  output=$(python3 "$law.py") || failed=1
  printf '%s\n' "$output" | sed '$d'
  summary+=("$(printf '%s\n' "$output" | tail -n 1)")
done
printf '%s\n' "${summary[@]}"
exit "$failed"
