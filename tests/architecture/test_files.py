"""Rules of style that a machine can check: names, sizes, docstrings, printing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("chalicelib", "sip_edge", "cli", "local", "infra", "bench", "tests", "docs")
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "managers"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 40
FUNCTIONS_AND_EDGE = ("chalicelib", "sip_edge/agent")


def modules(*folders: str) -> list[Path]:
    return sorted(path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py"))


def tree_of(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def functions_of(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_module_is_named_after_nothing() -> None:
    parts = {path: {*path.with_suffix("").parts} for path in modules(*OURS)}

    assert [] == [str(path) for path, names in parts.items() if names & FORBIDDEN_NAMES]


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules(*OURS[:5])}

    assert {} == {name: length for name, length in lengths.items() if length > LONGEST_FILE}


@pytest.mark.parametrize("path", modules(*FUNCTIONS_AND_EDGE), ids=str)
def test_no_function_is_longer_than_40_lines(path: Path) -> None:
    assert {} == {node.name: length_of(node) for node in functions_of(tree_of(path)) if length_of(node) > LONGEST_FUNCTION}


@pytest.mark.parametrize("path", modules(*FUNCTIONS_AND_EDGE), ids=str)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree_of(path))


@pytest.mark.parametrize("path", modules("chalicelib"), ids=str)
def test_nothing_prints(path: Path) -> None:
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]

    assert [] == [node.lineno for node in calls if ast.unparse(node.func) in {"print", "sys.stdout.write", "sys.stderr.write"}]


@pytest.mark.parametrize("path", modules("chalicelib/domain"), ids=str)
def test_values_of_the_domain_are_frozen(path: Path) -> None:
    found = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef)]
    decorators = {node.name: [ast.unparse(item) for item in node.decorator_list] for node in found}
    dataclasses = {name: items for name, items in decorators.items() if any("dataclass" in item for item in items)}

    assert {} == {name: items for name, items in dataclasses.items() if "dataclass(frozen=True)" not in items}


def test_no_test_patches_our_own_code() -> None:
    text = {path: (ROOT / path).read_text(encoding="utf-8") for path in modules("tests/handlers", "tests/usecases")}

    assert [] == [str(path) for path, code in text.items() if "monkeypatch.setattr" in code or "unittest.mock" in code]
