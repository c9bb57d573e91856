#!/bin/sh
# Runs a command in an image's unpacked root as the container would: root read-only, user 10001, this machine's network.
#
#   in_root.sh ROOT [FOLDER...] -- COMMAND...
#
# FOLDERs are of this machine: they appear in the root under the same path, writable. With CODE=FOLDER that working copy stands
# for the image's own code. Keeps the process id, so signals reach the command; ends with whoever started it.
set -eu

if [ "${IN_ROOT_MOUNTS:-}" != own ]; then
    IN_ROOT_MOUNTS=own exec unshare --mount --propagation private "$0" "$@"
fi
root="$(readlink -f "$1")"
shift
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
for name in dev proc sys; do mount --rbind "/$name" "$root/$name"; done
for name in hosts resolv.conf; do mount --bind "/etc/$name" "$root/etc/$name"; done   # as a container runtime does
for folder in run/sip-edge var/lib/sip-edge tmp; do mount -t tmpfs -o uid=10001,gid=10001,mode=0755 tmpfs "$root/$folder"; done
while [ "$1" != -- ]; do
    mkdir -p "$root$1" || { echo "$1 must be under /tmp" >&2; exit 1; }
    mount --bind "$1" "$root$1"
    chown -R 10001:10001 "$1"
    shift
done
shift
[ -z "${CODE:-}" ] || mount -o bind,ro "$CODE" "$root/opt/sip-edge"
exec chroot "$root" env --chdir=/opt/sip-edge PATH=/opt/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/var/lib/sip-edge \
    setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs --pdeathsig=TERM -- "$@"
