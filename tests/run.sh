#!/usr/bin/env bash
# Every test. The life tests mostly wait (for a registration's refresh, for a restart), so they run beside all the others.
set -uo pipefail
cd "$(dirname "$0")/.."

life_output="$(mktemp)"
trap 'rm -f "$life_output"' EXIT

.venv/bin/python -m pytest --quiet --numprocesses 4 --dist loadfile tests/life >"$life_output" 2>&1 &
life=$!
.venv/bin/python -m pytest --quiet --numprocesses 2 --dist loadfile --ignore tests/life tests
others_status=$?
wait "$life"
life_status=$?

echo
echo "== the life tests, which ran beside them"
cat "$life_output"
[ "$others_status" = 0 ] && [ "$life_status" = 0 ]
