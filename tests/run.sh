#!/usr/bin/env bash
# Every test. The life tests and the SIP scenarios mostly wait (for a registration's refresh, a restart, half a second of a tone), so
# they run beside all the others.
set -uo pipefail
cd "$(dirname "$0")/.."

life_output="$(mktemp)"
trap 'rm -f "$life_output"' EXIT

.venv/bin/python -m pytest --quiet --numprocesses 4 --dist loadfile tests/life tests/scenarios >"$life_output" 2>&1 &
life=$!
.venv/bin/python -m pytest --quiet --numprocesses 2 --dist loadfile --ignore tests/life --ignore tests/scenarios tests
others_status=$?
wait "$life"
life_status=$?

echo
echo "== the life tests and the SIP scenarios, which ran beside them"
cat "$life_output"
[ "$others_status" = 0 ] && [ "$life_status" = 0 ]
