#!/usr/bin/env bash
# Everything that a bare Debian 12 or 13 needs to run the gateway: packages and the Python environment .venv.
#
#   local/setup.sh                what `make run` needs
#   local/setup.sh --with-tests   also what the tests need
#   local/setup.sh --image        also what building the edge's image needs
#   local/setup.sh --infra        what a region's deployment needs, and no more: Node.js and .venv-infra
#   local/setup.sh --emulator     that, and .venv-ministack, the emulator of AWS that a deployment is tried in
#
# Says what it does, a line a step, and nothing where nothing is to do. As root it installs packages itself, otherwise by sudo;
# where neither works it says what is missing and ends with status 1.
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

packages="python3 python3-venv openssl kamailio kamailio-tls-modules kamailio-extra-modules kamailio-json-modules kamailio-utils-modules rtpengine-daemon espeak-ng"
test_packages="linphone-cli baresip-core iproute2 chromium libatomic1"   # libatomic1: for the Node.js inside playwright
image_packages="mmdebstrap buildah"
infra_packages="python3 python3-venv nodejs"   # Node.js: CDK's own runtime

say() { printf 'setup     | %s\n' "$*"; }
fail() { printf 'setup     | %s\n' "$@" >&2; exit 1; }

case "${1:-}" in
  "") ;;
  --with-tests) packages="$packages $test_packages" ;;
  --image) packages="$packages $image_packages" ;;
  --infra | --emulator) packages="$infra_packages" ;;
  *) fail "usage: local/setup.sh [--with-tests | --image | --infra | --emulator]" ;;
esac

missing_packages() {
  local installed package
  # shellcheck disable=SC2086  # a list of words
  installed="$(dpkg-query --show --showformat='${db:Status-Abbrev}${Package}\n' $packages 2>/dev/null | sed -n 's/^ii //p' || true)"
  for package in $packages; do
    grep --quiet --line-regexp --fixed-strings "$package" <<<"$installed" || printf '%s ' "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

may_install() {
  [ "$(id -u)" = 0 ] && return 0
  command -v sudo >/dev/null || return 1
  sudo --non-interactive true 2>/dev/null && return 0
  [ -t 0 ] && sudo --validate
}

refuse_to_install() {   # MISSING
  local how="As root (su -), run this, then try again:" prefix=""
  if command -v sudo >/dev/null; then how="Run this, then try again:" prefix="sudo "; fi
  fail "Missing packages: $1" "Only root can install them. $how" \
    "  ${prefix}apt-get update && ${prefix}apt-get install --no-install-recommends $1"
}

install_packages() {
  command -v dpkg-query >/dev/null || fail "This set-up knows Debian 12 and 13. Elsewhere, install by hand: $packages"
  local missing
  missing="$(missing_packages)"
  missing="${missing% }"
  [ -n "$missing" ] || return 0
  may_install || refuse_to_install "$missing"
  say "installing packages (a minute or so): $missing"
  # shellcheck disable=SC2086  # a list of words
  {
    as_root apt-get update --quiet --quiet
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --quiet --no-install-recommends $missing >/dev/null
  } || fail "apt-get could not install them; its messages are above"
  case " $missing " in *" kamailio "*) disable_service kamailio ;; esac
  case " $missing " in *" rtpengine-daemon "*) disable_service rtpengine-daemon ;; esac
}

# Debian starts its own with a configuration of its own once the package is there; ours is started by the gateway.
disable_service() {
  [ -d /run/systemd/system ] || return 0
  systemctl is-enabled --quiet "$1" 2>/dev/null || systemctl is-active --quiet "$1" 2>/dev/null || return 0
  say "switching off the service $1 that the package started"
  as_root systemctl disable --now --quiet "$1" || say "could not switch it off; do so if it holds a port of ours"
}

check_python() {
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "python3 is $(python3 --version 2>&1 || true); the gateway needs Python 3.11 or newer (Debian 12 and 13 have it)"
}

# An environment belongs to one interpreter and one set of requirements; its stamp names both.
install_requirements() {   # FOLDER REQUIREMENTS
  local folder="$1" requirements="$2" wanted
  wanted="$(sha256sum <"$requirements" | cut -d' ' -f1) $(readlink -f "$(command -v python3)")"
  [ -x "$folder/bin/python" ] && [ "$(cat "$folder/requirements.sha256" 2>/dev/null)" = "$wanted" ] && return 0
  check_python
  if [ -e "$folder" ] && ! matches_python3 "$folder"; then
    say "removing $folder, which was made for another Python"
    rm -rf "$folder"
  fi
  if [ ! -x "$folder/bin/python" ]; then
    say "making the Python environment $folder ($(python3 --version))"
    python3 -m venv "$folder" || fail "python3 -m venv failed; is the package python3-venv installed?"
  fi
  say "installing $requirements into $folder"
  install_by_uv "$folder" "$requirements" || {
    say "by pip: a minute or two"
    install_by_pip "$folder" --requirement "$requirements"
  } || fail "pip could not install $requirements; is the package index reachable? Its messages are above"
  printf '%s\n' "$wanted" >"$folder/requirements.sha256"
}

install_by_pip() {   # FOLDER ARGUMENT...
  local folder="$1"
  shift
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes "$@"
}

# uv takes a tenth of pip's time and is among the requirements. It reads nothing of what pip was told about another index or a proxy:
# where pip was told so, or where uv fails, pip does it all. Certificates it takes from the machine's own store.
install_by_uv() {   # FOLDER REQUIREMENTS
  local folder="$1" requirements="$2" lock told
  lock="$(sed -n '/^uv==/,/^ *# via/{/^ *# via/!p}' "$requirements")"
  [ -n "$lock" ] || return 1
  told="$("$folder/bin/python" -m pip config list)"
  ! grep --quiet --extended-regexp 'index|find-links|proxy|trusted-host' <<<"$told" || return 1
  install_by_pip "$folder" --requirement <(printf '%s\n' "$lock") 2>/dev/null || return 1
  "$folder/bin/uv" --quiet --no-config --system-certs pip install --python "$folder/bin/python" --require-hashes \
    --requirement "$requirements" && return 0
  say "uv could not install them"
  return 1
}

matches_python3() {   # FOLDER
  local version='import sys; print(sys.version_info[:2])'
  [ "$("$1/bin/python" -c "$version" 2>/dev/null)" = "$(python3 -c "$version")" ]
}

make_announcements() {
  .venv/bin/python -m sip_edge.announcements 2>&1 | sed 's/^/setup     | /'
}

install_packages
case "${1:-}" in
  --infra | --emulator) install_requirements .venv-infra infra/requirements.txt ;;
  *)
    install_requirements .venv requirements/dev.txt
    make_announcements
    ;;
esac
if [ "${1:-}" = --emulator ]; then
  install_requirements .venv-ministack infra/emulator/requirements.txt
fi
