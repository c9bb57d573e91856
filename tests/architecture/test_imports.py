"""The arrows between the folders, as `.importlinter` draws them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def names_of(path: Path) -> Iterator[str]:
    """Every dotted name that the module reads, such as `datetime.now`, and every function that it calls."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute | ast.Name):
            yield ast.unparse(node)


def test_every_import_contract_is_kept() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own command line

    assert (0, True) == (done.returncode, "0 broken" in done.stdout), done.stdout


@pytest.mark.parametrize("path", modules("chalicelib/domain", "chalicelib/usecases"), ids=lambda path: path.stem)
def test_time_randomness_and_input_come_from_outside(path: Path) -> None:
    forbidden = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "uuid.uuid4", "uuid.uuid1", "open", "input"}

    assert set() == forbidden & set(names_of(path))


@pytest.mark.parametrize(
    "path", [path for path in modules("chalicelib") if path.stem != "wiring"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_nothing_but_wiring_reads_the_environment(path: Path) -> None:
    assert set() == {"os.environ", "os.getenv", "environ"} & set(names_of(path))


@pytest.mark.parametrize(
    "path",
    [path for path in modules("chalicelib") if path.stem not in {"frozen", "counting"}],  # counting: for the bench, not frozen
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_dataclass_is_ours(path: Path) -> None:
    """The standard library's costs half a millisecond of every start: chalicelib/contracts/frozen.py."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"]
    taken = {alias.name for node in imports for alias in node.names} | set(names_of(path))

    assert "dataclasses.dataclass" not in taken
    assert "dataclass" not in taken or any(
        isinstance(node, ast.ImportFrom) and node.module == "chalicelib.contracts.frozen" for node in ast.walk(tree)
    )


@pytest.mark.parametrize("path", modules("chalicelib/contracts"), ids=lambda path: path.stem)
def test_contracts_need_the_standard_library_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    foreign = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}

    assert set() == {name for name in foreign if not name.startswith("chalicelib.contracts")}
