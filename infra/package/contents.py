"""What goes into the zip: the app, and of its dependencies what a function can use."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath

# Services that the functions call; botocore brings the descriptions of 400 others (20 MB).
AWS_SERVICES = frozenset({"dynamodb", "secretsmanager", "sns", "sqs"})
# botocore is enough for every function; pycparser serves the build of cryptography.
UNUSED = frozenset({"boto3", "s3transfer", "pycparser"})
UNUSED_FOLDERS = frozenset({"bin", "cffi"})  # of cffi only its native half is loaded
# botocore takes certifi's roots where there are any; the gateway's time zones are its own.
UNUSED_FILES = frozenset({"botocore/cacert.pem", "dateutil/zoneinfo/dateutil-zoneinfo.tar.gz"})
# urllib3's half for browsers. charset_normalizer guesses encodings, and what it is given here is UTF-8 by its own word: the
# Python that its native code was made of does as well.
UNUSED_BEGINNINGS = ("urllib3/contrib/emscripten/", "charset_normalizer/cli/")
UNUSED_NATIVE = frozenset({"charset_normalizer"})
# Of Chalice a function needs the app; the rest is its command line.
CHALICE_FILES = frozenset({"chalice/__init__.py", "chalice/app.py"})
# Of Powertools the logger and the metrics, with what they import; the rest is 4 MB.
POWERTOOLS = frozenset(
    {"exceptions", "logging", "metrics", "package_logger.py", "shared", "tracing", "utilities/jmespath_utils", "warnings"}
)
_REQUIREMENT = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==", re.MULTILINE)


def needed_requirements(lock: str, asked_for: frozenset[str]) -> str:
    """The lock without what only Chalice's command line asks for, and without what is never imported.

    `lock` is requirements.txt with uv's notes of who asks for what (`# via …`). Those that functions.in names stay, but UNUSED.
    """
    blocks = dict(_blocks(lock))
    needed = set(asked_for) - UNUSED
    while True:
        more = {name for name, block in blocks.items() if _asking(block) & (needed - {"chalice"})} - UNUSED
        if more <= needed:
            break
        needed |= more
    return "".join(block for name, block in blocks.items() if name in needed)


def is_needed(path: str) -> bool:
    """Whether a file of the unpacked dependencies goes into the zip."""
    parts = PurePosixPath(path).parts
    if (
        path in UNUSED_FILES
        or path.startswith(UNUSED_BEGINNINGS)
        or (parts[0] in UNUSED_NATIVE and path.endswith(".so"))
        or parts[0] in {".lock", *UNUSED_FOLDERS}
        or parts[0].endswith((".dist-info", ".egg-info"))
        or "__pycache__" in parts
    ):
        return False
    if parts[0] == "chalice":
        return path in CHALICE_FILES
    if parts[0] == "aws_lambda_powertools":
        return parts[-1] == "__init__.py" or bool({"/".join(parts[1:2]), "/".join(parts[1:3])} & POWERTOOLS)
    if path.endswith((".pyi", ".c", ".h", ".pyx", "py.typed")) or "tests" in parts or "test" in parts[:-1]:
        return False
    if parts[:2] == ("botocore", "data") and len(parts) > 3:  # noqa: PLR2004 - botocore/data/SERVICE/VERSION/FILE
        return parts[2] in AWS_SERVICES and not parts[-1].startswith(("examples", "waiters"))
    return True


def trimmed(path: str, content: bytes) -> bytes:
    """A file of the unpacked dependencies as it goes into the zip: of botocore's 1.2 MB of endpoints those of our services.

    Every client's making reads that file whole.
    """
    if path != "botocore/data/endpoints.json":
        return content
    data = json.loads(content)
    for partition in data["partitions"]:
        partition["services"] = {name: item for name, item in partition["services"].items() if name in AWS_SERVICES}
    return json.dumps(data, separators=(",", ":")).encode()


def is_of_the_app(path: str) -> bool:
    """Whether a file below chalicelib/ goes into the zip."""
    return "__pycache__" not in path and not path.endswith((".po", ".pyc"))


def _blocks(lock: str) -> list[tuple[str, str]]:
    starts = [match.start() for match in _REQUIREMENT.finditer(lock)]
    blocks = [lock[start:end] for start, end in zip(starts, [*starts[1:], len(lock)], strict=True)]
    return [(block.split("==", maxsplit=1)[0], block) for block in blocks]


def _asking(block: str) -> set[str]:
    comments = [line.strip().removeprefix("#").strip() for line in block.splitlines() if line.strip().startswith("#")]
    return {word.removeprefix("via ").strip() for word in comments if word and not word.startswith("-r")}
