#!/usr/bin/env bash
# Builds the edge's image without a Docker engine: a base by mmdebstrap, sip_edge/Dockerfile on it by buildah.
#
#   sip_edge/image.sh        dist/sip-edge.oci.tar, an OCI archive; dist/edge-root, the same unpacked, for tests and benchmarks
#
# EDGE_IMAGE_SUITE and EDGE_IMAGE_MIRROR choose another Debian (trixie; the machine's default mirror). Needs root: only root may
# make a root file system without user namespaces. Names what is missing, and ends with status 69 where this machine cannot build one at
# all (no root, no mounts, no mirror), with 1 where the build went wrong.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

suite="${EDGE_IMAGE_SUITE:-trixie}"
mirror="${EDGE_IMAGE_MIRROR:-}"
python=3.13   # of that suite; the wheels are fetched for it

say() { printf 'image     | %s\n' "$*"; }
fail() { printf 'image     | %s\n' "$@" >&2; exit 1; }
cannot() { printf 'image     | %s\n' "$@" >&2; exit 69; }   # EX_UNAVAILABLE of sysexits.h

[ "$(id -u)" = 0 ] || cannot "Building the image needs root. Try: sudo make image"
unshare --mount true || cannot "This machine lets not even root mount anything (a container without CAP_SYS_ADMIN?)"
for tool in mmdebstrap buildah; do
  command -v "$tool" >/dev/null || cannot "$tool is missing. Try: make setup-image"
done

work="$(mktemp --directory --tmpdir="${TMPDIR:-/var/tmp}" --suffix=.sip-edge-image)"
trap 'rm -rf "$work"' EXIT
SOURCE_DATE_EPOCH="$(git log -1 --format=%ct 2>/dev/null || echo 0)"
export SOURCE_DATE_EPOCH
export BUILDAH_ISOLATION=chroot   # this and vfs work inside a plain container as well
build() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }

say "fetching the agent's packages for Python $python, each checked by its hash"
.venv/bin/python -m pip download --quiet --quiet --no-deps --only-binary :all: --python-version "$python" --require-hashes \
  --dest "$work/wheels" --requirement sip_edge/requirements.txt || fail "pip could not fetch them; is the package index reachable?"

say "making the base: Debian $suite"
# shellcheck disable=SC2086  # no mirror is no argument
mmdebstrap --quiet --variant=apt --include=ca-certificates "$suite" "$work/base.tar" $mirror ||
  cannot "mmdebstrap could not make Debian $suite; is Debian's mirror reachable? (EDGE_IMAGE_MIRROR names another one.)"
base="$(build from scratch)"
build add --quiet "$base" "$work/base.tar" / >/dev/null
build commit --quiet --timestamp "$SOURCE_DATE_EPOCH" --rm "$base" sip-edge-base >/dev/null

say "building sip_edge/Dockerfile"
build build --quiet --format docker --squash --timestamp "$SOURCE_DATE_EPOCH" --volume "$work/wheels:/wheels:ro" \
  --build-arg BASE=localhost/sip-edge-base --build-arg PIP_NO_INDEX=1 --build-arg PIP_FIND_LINKS=/wheels \
  --file sip_edge/Dockerfile --tag sip-edge . >/dev/null

say "writing dist/sip-edge.oci.tar and dist/edge-root"
mkdir -p dist
rm -rf dist/sip-edge.oci.tar dist/edge-root
build push --quiet --format oci --digestfile "$work/digest" sip-edge oci-archive:dist/sip-edge.oci.tar:sip-edge
container="$(build from sip-edge)"
cp --archive "$(build mount "$container")" dist/edge-root
touch dist/edge-root/etc/hosts dist/edge-root/etc/resolv.conf   # a container runtime mounts its own over these
printf '%s\n' "$(cat "$work/digest")" | tee dist/sip-edge.digest
