#!/usr/bin/env bash
# Every test. The life tests and the scenarios mostly wait (for a registration's refresh, for a restart, for a word to be spoken), so they
# run beside all the others.
#
# What fails among them has one more turn, alone: a machine that does everything at once is late now and then. The first failure
# stays in the output; what fails twice has failed.
set -uo pipefail
cd "$(dirname "$0")/.."

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

run() { # NAME ARGUMENT...: NAME keeps what failed
  local name="$1"
  shift
  .venv/bin/python -m pytest --quiet -o cache_dir="$work/$name" "$@"
}

once_more() { # STATUS NAME FOLDER...
  local status="$1" name="$2"
  shift 2
  [ "$status" = 1 ] || return "$status"
  printf '\n== failed beside the others; once more, alone\n'
  run "$name" --last-failed --last-failed-no-failures none "$@"
}

echo "== every test: about a quarter of an hour, the first dots within two minutes"
echo "== the life tests and the scenarios run beside the others and are shown last"
together=(tests/life tests/scenarios)
run waiting --numprocesses 4 --dist loadfile "${together[@]}" >"$work/output" 2>&1 &
waiting=$!
run others --numprocesses 2 --dist loadfile --ignore tests/life --ignore tests/scenarios tests
others_status=$?
wait "$waiting"
waiting_status=$?

echo
echo "== the life tests and the scenarios, which ran beside them"
cat "$work/output"
once_more "$others_status" others tests
others_status=$?
once_more "$waiting_status" waiting "${together[@]}"
waiting_status=$?
[ "$others_status" = 0 ] && [ "$waiting_status" = 0 ]
