"""What schemathesis must know to call this API: values of the document's own formats, which name what no pattern can hold.

SCHEMATHESIS_HOOKS=tests.openapi.formats loads it.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import schemathesis
from hypothesis import strategies as st

from chalicelib.domain.identifiers import find_hardware_id

SIGNED_IN, ENROLLED = "805ec0123457", "805ec0123458"
LOG = "805ec0123457-sys.log"
_MACS = st.sampled_from([SIGNED_IN, ENROLLED, "80-5e-c0-99-00-01", "80:5E:C0:99:00:02", "80-5e-c0-99-00-01:002"])
_PLACES = st.sampled_from(["", "Lobby", '"Room 12, left"', "Größe"])
_keys = itertools.count()


def _table(header: str, *cells: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    rows = st.lists(st.tuples(*cells).map(",".join), min_size=1, max_size=4)
    return rows.map(lambda lines: "\r\n".join([header, *lines]))


def _line(pair: tuple[str, str]) -> str:
    return json.dumps({"mac": pair[0], "location": pair[1]})


_lines = st.lists(st.tuples(_MACS, st.sampled_from(["", "Lobby"])).map(_line), min_size=1, max_size=4).map("\n".join)
_export = st.sampled_from(["Global", "Tag:Sales", "Tag:Größe"]).map(lambda name: json.dumps([{"Identity": name}]))

_printable = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), max_size=128)
_names = _printable.filter(lambda name: bool(name.strip()) and name not in {"import", ".", "..", "Global"})

FORMATS: dict[str, st.SearchStrategy[str] | st.SearchStrategy[bytes]] = {
    "line": _printable,
    "policy-name": _names,
    "policy-identity": st.just("Global") | _names.map("Tag:{}".format),
    "time-zone": st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo"]),
    "cidr": st.sampled_from(["203.0.113.0/24", "198.51.100.7/32", "2001:db8::/32"]),
    "vendor": st.just("yealink"),
    "phone-setting": st.sampled_from(["features.bluetooth_enable", "phone_setting.backlight_time"]),
    "phone-setting-value": st.sampled_from(["", "0", "Größe"]),
    "cursor": st.just(""),  # others come from `next_cursor`, in the stateful tests
    "device-table": _table("MAC id,Location", _MACS, _PLACES),
    "device-lines": _lines,
    "sign-in-table": _table("Username,HardwareId", st.sampled_from(["lobby@example.com", "x"]), _MACS),
    "policy-export": _export.map(lambda text: text.encode("utf-16")),
}
for _name, _strategy in FORMATS.items():
    schemathesis.openapi.format(_name, _strategy)


@schemathesis.serializer("application/x-ndjson", "application/jsonl")
def write_lines(_: Any, value: Any) -> bytes:
    """As it goes over the wire, where all is text: what should be none is no UTF-8."""
    return value.encode() if isinstance(value, str) else b"\xff"


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Half of the devices that are asked for are phones that there are; none of those is removed."""
    mac = find_hardware_id(str((path_parameters or {}).get("mac", "")))
    if path_parameters is None or mac is None or mac[-1] > "7" or context.operation.method == "delete":
        return path_parameters
    known = {"mac": SIGNED_IN if mac[-1] < "4" else ENROLLED}
    return {**path_parameters, **known, **({"name": LOG} if "name" in path_parameters else {})}


@schemathesis.hook
def before_call(_: Any, case: Any, __: Any) -> None:
    """A good Idempotency-Key belongs to one request: each gets its own."""
    if case.meta is not None and case.meta.generation.mode.is_positive and "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = f"key-{next(_keys)}"
