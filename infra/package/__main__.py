"""`python -m infra.package [arm64|x86_64]`: builds the zip and says where it lies."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.package.build import BuildFailed, build_package
from infra.package.interpreter import NoInterpreter


def main(arguments: list[str]) -> int:
    """Exit status 1 where it cannot be built."""
    try:
        package = build_package(arguments[0] if arguments else "arm64")
    except (BuildFailed, NoInterpreter) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    if package.interpreter.note:
        sys.stderr.write(f"note: {package.interpreter.note}\n")
    size = package.path.stat().st_size / 1e6
    sys.stdout.write(f"{package.path.relative_to(Path.cwd())}  {size:.1f} MB  sha256 {package.digest}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
