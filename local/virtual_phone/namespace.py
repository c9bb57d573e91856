"""A network of their own for the phones: a user and network namespace with an interface besides loopback.

linphone takes a machine that has only loopback for offline and opens no socket, and the tests may use no real network. In
here 127.0.0.1 works as usual and a veth pair with a default route makes the network look up; nothing leaves the namespace.
Needs no root where user namespaces are allowed. `python -m local.virtual_phone.namespace COMMAND…` runs a command in one.
It does not isolate files or processes, and it ends with its last process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path

from local.virtual_phone.errors import NamespaceError

MARK = "SIPGW_PHONE_NAMESPACE"  # `new`: entered, no interfaces yet; `ready`: interfaces are up
ADDRESS = "10.77.0.1"  # this side of the veth pair; servers in here may listen on it as well as on 127.0.0.1
_PROBE_SECONDS = 20

# What `ip` runs, in order. The route leads nowhere: its mere existence makes linphone call the network reachable.
_LINKS = (
    "link set lo up",
    "link add veth0 type veth peer name veth1",
    f"addr add {ADDRESS}/24 dev veth0",
    "link set veth0 up",
    "link set veth1 up",
    "route add default via 10.77.0.2",
)

# Kernel switches that forbid user namespaces to ordinary users: file, forbidding value, what to do.
_SWITCHES = (
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
)


def inside_namespace(environment: Mapping[str, str] | None = None) -> bool:
    """Whether this process already runs in a namespace made here."""
    return MARK in (os.environ if environment is None else environment)


def enter_namespace(environment: MutableMapping[str, str] | None = None) -> None:
    """Returns inside the namespace: re-executes the current command in one, or does nothing where it is in one already.

    Call it first thing, before threads and sockets. Raises NamespaceError with the reason and the remedy.
    """
    known = os.environ if environment is None else environment
    if known.get(MARK) == "ready":
        return
    if known.get(MARK) == "new":
        _bring_links_up()
        known[MARK] = "ready"
        return
    _replace_process([sys.executable, *sys.orig_argv[1:]], known)


def command_in_namespace(command: Sequence[str]) -> list[str]:
    """The command line that runs `command` in a namespace whose interfaces are up; for subprocess and Makefiles."""
    return [sys.executable, "-m", "local.virtual_phone.namespace", *command]


def find_reason(*, path: str | None = None, switches: Sequence[tuple[str, str, str]] = _SWITCHES) -> str:
    """Why no namespace can be made here, with what to do about it; empty where one was just made and left."""
    for program, package in (("unshare", "util-linux"), ("ip", "iproute2")):
        if _find_program(program, path) is None:
            return f"`{program}` is missing: apt-get install {package}"
    unshare = str(_find_program("unshare", path))
    probe = _run([unshare, *_flags(unshare), "true"])
    if probe.returncode == 0:
        return ""
    for file, forbidding, remedy in switches:
        if Path(file).is_file() and Path(file).read_text(encoding="ascii").strip() == forbidding:
            return f"user namespaces are switched off ({file} is {forbidding}): as root, {remedy}"
    return (
        f"`unshare --user --map-root-user --net` was refused: {probe.stderr.strip() or probe.returncode}. "
        "Root on this machine needs no such permission. "
        "In a container, allow it: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined …"
    )


def main(arguments: Sequence[str]) -> None:
    """Runs the given command in a namespace, in place of this process."""
    if not arguments:
        raise SystemExit("usage: python -m local.virtual_phone.namespace COMMAND [ARGUMENT…]")
    try:
        enter_namespace()
    except NamespaceError as error:
        raise SystemExit(f"cannot make a network namespace: {error}") from None
    os.execvp(arguments[0], list(arguments))  # noqa: S606 - running the caller's command is the purpose


def _replace_process(command: Sequence[str], environment: Mapping[str, str]) -> None:
    reason = find_reason()
    if reason:
        raise NamespaceError(reason)
    unshare = str(_find_program("unshare"))
    marked = {**environment, MARK: "new"}
    os.execve(unshare, [unshare, *_flags(unshare), *command], marked)  # noqa: S606 - our own command again


def _flags(unshare: str) -> list[str]:
    """Root needs no user namespace of its own, and in a chroot or a container may not make one."""
    if os.geteuid() == 0 and _run([unshare, "--net", "true"]).returncode == 0:
        return ["--net"]
    return ["--user", "--map-root-user", "--net"]


def _bring_links_up() -> None:
    program = str(_find_program("ip"))
    for words in _LINKS:
        done = _run([program, *words.split()])
        if done.returncode != 0:
            hint = " (is the kernel module veth there? as root: modprobe veth)" if "veth" in words else ""
            raise NamespaceError(f"`ip {words}` failed: {done.stderr.strip()}{hint}")


def _find_program(name: str, path: str | None = None) -> str | None:
    # Ordinary users often have no sbin in PATH, where Debian keeps `ip`.
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin" if path is None else path)


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PROBE_SECONDS)  # noqa: S603 - fixed words


if __name__ == "__main__":
    main(sys.argv[1:])
