#!/usr/bin/env bash
# Pins every dependency with hashes, for Python 3.11 and later on every machine.
#
#   requirements/lock.sh          resolve anew and write the locks
#   requirements/lock.sh --check  fail where a .in file names something that its lock lacks
set -euo pipefail
cd "$(dirname "$0")/.."

locks=(
  "requirements/functions.in requirements.txt"
  "requirements/edge.in sip_edge/requirements.txt"
  "requirements/dev.in requirements/dev.txt"
  "infra/requirements.in infra/requirements.txt"
  "infra/emulator/requirements.in infra/emulator/requirements.txt"
)

names() { # the packages that a .in file names, in the spelling of a lock
  grep -hvE '^(#|-r|$)' "$1" | sed -E 's/\[.*//; s/[<>=!~;].*//' | tr '[:upper:]_' '[:lower:]-'
}

for pair in "${locks[@]}"; do
  read -r source lock <<<"$pair"
  if [ "${1:-}" = --check ]; then
    while read -r name; do
      grep -q "^$name==" "$lock" || { echo "$lock lacks $name, which $source names: run make lock" >&2; exit 1; }
    done < <(names "$source")
  else
    .venv/bin/python -m uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 "$source" -o "$lock"
  fi
done
