"""Two hosts on one wire: this process, and a place of its own for a stranger, with another address. Inside the namespace only.

`ip` moves the far end of the namespace's veth pair into a second network namespace, which one thread lives in: whatever is
opened and started there has the stranger's address.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from local.virtual_phone.namespace import ADDRESS

T = TypeVar("T")

FAR_ADDRESS = "10.77.0.2"
_CLONE_NEWNET, _CLONE_NEWNS = 0x40000000, 0x00020000  # unshare(2)


class FarPlace:
    """The stranger's host. Everything that is passed to `do` runs there, one thing after the other."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="far place")

    def __enter__(self) -> Self:
        number = self._thread.submit(_leave_network).result()
        _ip("link", "set", "veth1", "netns", str(number))
        for words in (
            "link set lo up",
            f"addr add {FAR_ADDRESS}/24 dev veth1",
            "link set veth1 up",
            f"route add default via {ADDRESS}",  # linphone takes a host without one for offline
        ):
            self._thread.submit(_ip, *words.split()).result()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def do(self, work: Callable[..., T], *arguments: object) -> T:
        """What `work` returns or raises there."""
        return self._thread.submit(work, *arguments).result()


def give_name(name: str, address: str, folder: Path) -> None:
    """The name for this process and all that it starts from now on, beside those of the machine's /etc/hosts."""
    hosts = folder / "hosts"
    hosts.write_text(f"{address} {name}\n" + Path("/etc/hosts").read_text(encoding="utf-8"), encoding="utf-8")
    _unshare(_CLONE_NEWNS)
    subprocess.run([_program("mount"), "--bind", str(hosts), "/etc/hosts"], check=True)  # noqa: S603 - fixed words


def _leave_network() -> int:
    _unshare(_CLONE_NEWNET)
    return threading.get_native_id()


def _unshare(flag: int) -> None:
    """For the calling thread and what it starts."""
    if ctypes.CDLL(None, use_errno=True).unshare(flag) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _ip(*words: str) -> None:
    subprocess.run([_program("ip"), *words], check=True)  # noqa: S603 - fixed words


def _program(name: str) -> str:
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    assert found is not None, f"{name} is missing"
    return found
