"""`python -m local run`: the whole gateway on this machine."""

from __future__ import annotations

import asyncio
import os
import sys

from local.options import BadOption, parse_options
from local.output import Console
from local.supervisor import run_gateway

USAGE = "usage: python -m local run [OPTION …]; `python -m local run --help` lists the options"


def main() -> int:
    """The exit status."""
    if sys.argv[1:2] != ["run"]:
        sys.stderr.write(USAGE + "\n")
        return 2
    console = Console()
    try:
        options = parse_options(sys.argv[2:], os.environ)
    except BadOption as problem:
        console.say(f"cannot start: {problem}")
        return 1
    return asyncio.run(run_gateway(options, os.environ, console))


if __name__ == "__main__":
    sys.exit(main())
