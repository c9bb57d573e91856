"""Builds the zip: fetch what the lock names for Lambda's machine, leave out what is not used, compile, pack.

The same input gives the same bytes, so an unchanged app is no new deployment. A zip that was built before is used again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from infra.package.contents import is_needed, is_of_the_app, needed_requirements, trimmed
from infra.package.interpreter import Interpreter, find_interpreter

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "dist"
_COMPILE_VENDORS_AND_PAGES = """
import sys
sys.path.insert(0, sys.argv[1])
from chalicelib.handlers.page import compile_pages
from chalicelib.vendors.catalogue import FOLDER
from chalicelib.vendors.tables import compile_tables
from chalicelib.vendors.templates import compile_vendor_templates
compile_pages()
compile_vendor_templates(FOLDER)
compile_tables(FOLDER)
"""
TASK_FOLDER = "/var/task/"  # where Lambda unpacks it: in tracebacks
# Lambda's Amazon Linux 2023 has glibc 2.34; for Python 3.11 it is Amazon Linux 2 with 2.26.
_PLATFORMS = {"arm64": "aarch64-manylinux_2_17", "x86_64": "x86_64-manylinux_2_17"}
_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can name
_KEPT = 4  # zips of former builds, for a roll-back without a build


class BuildFailed(RuntimeError):
    """A step of the build ended with an error; the message has its output."""


@dataclass(frozen=True)
class Package:
    """A built zip. `digest` is the SHA-256 of its bytes, in hex."""

    path: Path
    interpreter: Interpreter
    architecture: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def build_package(architecture: str = "arm64", *, output: Path = OUTPUT, interpreter: Interpreter | None = None) -> Package:
    """The zip for the app as it lies here. Raises BuildFailed or NoInterpreter."""
    interpreter = interpreter or find_interpreter()
    path = output / f"functions-{interpreter.runtime}-{architecture}-{_input_digest(interpreter)[:16]}.zip"
    if not path.is_file():
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="sip-gateway-package-") as name:
            folder = Path(name)
            _lay_out(folder, architecture, interpreter)
            _pack(folder / "zip", folder / "package.zip")
            shutil.copy(folder / "package.zip", path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)
        _drop_old(output, path)
    return Package(path, interpreter, architecture)


def _input_digest(interpreter: Interpreter) -> str:
    """Of everything that decides on the zip's bytes."""
    sources = [ROOT / "app.py", ROOT / "requirements.txt", ROOT / "requirements/functions.in", *_app_files()]
    digest = hashlib.sha256(interpreter.version.encode())
    for path in [*sources, *sorted(Path(__file__).parent.glob("*.py"))]:
        digest.update(f"\n{path.relative_to(ROOT)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _app_files() -> list[Path]:
    library = ROOT / "chalicelib"
    return sorted(path for path in library.rglob("*") if path.is_file() and is_of_the_app(str(path.relative_to(library))))


def _lay_out(folder: Path, architecture: str, interpreter: Interpreter) -> None:
    """Makes `folder/zip`, what the zip will hold."""
    target, fetched = folder / "zip", folder / "fetched"
    _fetch(folder, fetched, architecture, interpreter)
    for path in sorted(fetched.rglob("*")):
        name = path.relative_to(fetched).as_posix()
        if path.is_file() and is_needed(name):
            _place(target / name, trimmed(name, path.read_bytes()))
    for path in [ROOT / "app.py", *_app_files()]:
        _place(target / path.relative_to(ROOT), path.read_bytes())
    _compile_vendors_and_pages(target, interpreter)
    _precompile(target, interpreter)


def _fetch(folder: Path, target: Path, architecture: str, interpreter: Interpreter) -> None:
    asked_for = frozenset(
        line.split("[")[0].strip().lower() for line in (ROOT / "requirements/functions.in").read_text().splitlines() if line
    )
    requirements = folder / "requirements.txt"
    requirements.write_text(needed_requirements((ROOT / "requirements.txt").read_text(), asked_for))
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--link-mode", "copy"]
    platform = ["--python-platform", _PLATFORMS[architecture], "--python-version", interpreter.version]
    _run([sys.executable, "-m", "uv", "pip", "install", *options, *platform, "--target", str(target), "-r", str(requirements)])


def _place(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def _compile_vendors_and_pages(folder: Path, interpreter: Interpreter) -> None:
    """Templates as Python modules and the vendors' tables as JSON, beside their sources: no function parses any."""
    _run([str(interpreter.path), "-I", "-S", "-B", "-c", _COMPILE_VENDORS_AND_PAGES, str(folder)], PYTHONHASHSEED="0")


def _precompile(folder: Path, interpreter: Interpreter) -> None:
    """Byte code that is not checked against its source: Lambda's files are read-only and would be compiled at every start."""
    command = [str(interpreter.path), "-I", "-m", "compileall", "-q", "-j1", "--invalidation-mode", "unchecked-hash"]
    _run([*command, "-s", str(folder), "-p", TASK_FOLDER, str(folder)], PYTHONHASHSEED="0")


def _pack(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w") as package:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _TIME)
                entry.external_attr = 0o644 << 16
                entry.create_system = 3  # Unix, on whatever machine it is packed
                package.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def _drop_old(output: Path, newest: Path) -> None:
    family = newest.name.rpartition("-")[0]
    old = sorted((path for path in output.glob(f"{family}-*.zip") if path != newest), key=lambda path: path.stat().st_mtime)
    for path in old[: -(_KEPT - 1)]:
        path.unlink()


def _run(command: list[str], **environment: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    if done.returncode:
        raise BuildFailed(f"{' '.join(command[:6])} …: {done.stderr.strip()[-2000:]}")
