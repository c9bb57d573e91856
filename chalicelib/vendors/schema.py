"""What a vendor's folder must hold: schema.json, and what a schema cannot say. A broken folder is named by file and key.

It knows the keywords of JSON Schema 2020-12 that schema.json uses; `KEYWORDS` lists them and a test compares.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.vendors.tables import BadVendor, Tables

_SCHEMA = Path(__file__).parent / "schema.json"
_TYPES: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
_BOUNDS = {"minimum": "", "minLength": " characters", "minItems": " entries", "minProperties": " entries"}
KEYWORDS = {
    *("$schema", "$id", "$defs", "$ref", "title", "description", "type", "enum", "pattern", "items", "maxItems", "maximum"),
    *("properties", "required", "additionalProperties", *_BOUNDS),
}


def read_folder(folder: Path) -> Tables:
    """vendor.toml and models.toml of one folder, both checked. Raises BadVendor."""
    vendor = _read(folder, "vendor")
    models = _read(folder, "models")
    for key, problem in _inconsistencies(folder, vendor):
        raise BadVendor(f"{folder.name}/vendor.toml: {key}: {problem}")
    return vendor, models


def find_problems(kind: str, data: object) -> list[str]:
    """Every place where `data` is no `vendor` or no `models` of schema.json, as `key: problem`."""
    return [f"{key or kind}: {problem}" for key, problem in _check(_schema()["$defs"][kind], data, "")]


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    return schema


def _read(folder: Path, kind: str) -> dict[str, Any]:
    name = f"{folder.name}/{kind}.toml"
    try:
        data = tomllib.loads((folder / f"{kind}.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadVendor(f"{name}: is missing") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadVendor(f"{name}: is not TOML: {error}") from None
    problems = find_problems(kind, data)
    if problems:
        raise BadVendor(f"{name}: {'; '.join(problems)}")
    return data


def _check(schema: dict[str, Any], value: object, key: str) -> Iterator[tuple[str, str]]:
    if "$ref" in schema:
        yield from _check(_schema()["$defs"][schema["$ref"].rpartition("/")[2]], value, key)
    kind = schema.get("type")
    if kind and (not isinstance(value, _TYPES[kind]) or (kind == "integer" and isinstance(value, bool))):
        yield key, f"must be of type {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield key, f"must be one of {', '.join(schema['enum'])}"
    if "pattern" in schema and not re.search(schema["pattern"], str(value)):
        yield key, f"must match {schema['pattern']}"
    yield from _check_size(schema, value, key)
    if isinstance(value, dict):
        yield from _check_object(schema, value, key)
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _check(schema["items"], item, f"{key}[{index}]")


def _check_size(schema: dict[str, Any], value: Any, key: str) -> Iterator[tuple[str, str]]:
    size = len(value) if isinstance(value, str | list | dict) else value if isinstance(value, int) else 0
    for keyword, unit in _BOUNDS.items():
        if size < schema.get(keyword, size):
            yield key, f"must be at least {schema[keyword]}{unit}"
    if size > schema.get("maximum", size):
        yield key, f"must be at most {schema['maximum']}"
    if size > schema.get("maxItems", size):
        yield key, f"must be at most {schema['maxItems']} entries"


def _check_object(schema: dict[str, Any], value: dict[str, Any], key: str) -> Iterator[tuple[str, str]]:
    prefix = f"{key}." if key else ""
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{prefix}{name}", "is missing"
    for name, item in value.items():
        if name in known:
            yield from _check(known[name], item, f"{prefix}{name}")
        elif others is False:
            yield f"{prefix}{name}", f"is not a key here; the keys are {', '.join(sorted(known))}"
        else:
            yield from _check(others, item, f"{prefix}{name}")


def _inconsistencies(folder: Path, vendor: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What no schema can say: names that must be alike, patterns that must be readable, templates that must be there."""
    if vendor["name"] != folder.name:
        yield "name", f"must be {folder.name}, as the folder is called"
    for key, pattern in _patterns(vendor):
        try:
            re.compile(pattern)
        except re.error as error:
            yield key, f"is not a regular expression: {error}"
    for key, template in _templates(vendor):
        if not (folder / "templates" / template).is_file():
            yield key, f"there is no templates/{template}"
    for index, file in enumerate(vendor["files"]["serve"]):
        if bool(file.get("template")) == file.get("trust_anchor", False):
            yield f"files.serve[{index}]", "needs either template or trust_anchor = true"
    if not any(file.get("carries_account") for file in vendor["files"]["serve"]):
        yield "files.serve", "one file must say carries_account = true"


def _patterns(vendor: dict[str, Any]) -> Iterator[tuple[str, str]]:
    identification = vendor["identification"]
    for index, pattern in enumerate(identification["user_agents"]):
        yield f"identification.user_agents[{index}]", pattern
    for index, (told, _) in enumerate(identification.get("model_names", ())):
        yield f"identification.model_names[{index}]", told
    for index, pattern in enumerate(vendor["files"].get("uploads", ())):
        yield f"files.uploads[{index}]", pattern.replace("{mac}", "0" * 12)
    if "overrides" in vendor:
        yield "overrides.name", vendor["overrides"]["name"]


def _templates(vendor: dict[str, Any]) -> Iterator[tuple[str, str]]:
    files = vendor["files"]
    yield "files.bootstrap_template", files["bootstrap_template"]
    for key in ("unchanged_template", "upgrade_template"):
        if key in files:
            yield f"files.{key}", files[key]
    if "screens" in vendor:
        yield "screens.template", vendor["screens"]["template"]
    for index, file in enumerate(files["serve"]):
        if "template" in file:
            yield f"files.serve[{index}].template", file["template"]
