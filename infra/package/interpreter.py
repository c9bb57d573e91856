"""The Python that Lambda will run the functions with, as it is found on this machine: byte code belongs to one version."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Lambda's runtimes that Chalice 1.34 knows, newest first (chalice/config.py, `lambda_python_version`).
VERSIONS = ("3.14", "3.13", "3.12", "3.11")


class NoInterpreter(RuntimeError):
    """No Python of this machine is one of Lambda's; the message says what to install."""


@dataclass(frozen=True)
class Interpreter:
    """`version` is as in `3.13`; `missing` are the newer ones of Lambda's that this machine lacks."""

    version: str
    path: Path
    missing: tuple[str, ...] = ()

    @property
    def runtime(self) -> str:
        """Lambda's name for it."""
        return f"python{self.version}"

    @property
    def note(self) -> str:
        """What the operator should know, or empty."""
        if not self.missing:
            return ""
        newer = " and ".join(f"python{version}" for version in self.missing)
        return f"{newer} is not on this machine, so the functions are built for {self.runtime} ({self.path})"


@cache
def find_interpreter(versions: tuple[str, ...] = VERSIONS) -> Interpreter:
    """The newest of `versions` that this machine has. Raises NoInterpreter."""
    for index, version in enumerate(versions):
        for path in _candidates(version):
            if _is_version(path, version):
                return Interpreter(version, path, versions[:index])
    raise NoInterpreter(f"This machine has none of Lambda's Pythons ({', '.join(versions)}): install the package python3.")


def _candidates(version: str) -> Iterator[Path]:
    for name in (f"python{version}", "python3"):
        found = shutil.which(name)
        if found:
            yield Path(found)
    yield from (Path(f"/usr/bin/{name}") for name in (f"python{version}", "python3"))
    yield from sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"), reverse=True)


def _is_version(path: Path, version: str) -> bool:
    """Asked of itself: a shim of pyenv may stand for a Python that is not there."""
    command = [str(path), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == version
