"""The pages' language, words and look."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.identifiers import Language, find_language
from chalicelib.vendors.tables import COMPILED
from chalicelib.vendors.texts import translator

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "pages"
STYLE = (FOLDER / "style.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
LANGUAGE_NAMES = {
    Language.EN: "English",
    Language.ES: "Español",
    Language.JA: "日本語",
    Language.DE: "Deutsch",
    Language.FR: "Français",
    Language.PT: "Português",
}
_RANGE = re.compile(r"\s*([A-Za-z0-9-]{1,20})\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?\s*")


@dataclass(frozen=True)
class PageWords:
    """One language's translator."""

    language: str
    say: Callable[[str], str]


def page_language(asked: str | None, accepted: str) -> PageWords:
    """`?lang=xx`, else the best of Accept-Language (RFC 9110 12.5.4), else English."""
    language = find_language(asked) or _best(accepted) or Language.EN
    return PageWords(language.value, translator(language.value))


def render_page(words: PageWords, template: str, **values: Any) -> str:
    """One page. Every value is escaped."""
    return (
        _environment()
        .get_template(template)
        .render(_=words.say, language=words.language, languages=LANGUAGE_NAMES, style=STYLE, **values)
    )


def _best(accepted: str) -> Language | None:
    weighed: list[tuple[float, Language]] = []
    for part in accepted.split(",")[:20]:
        match = _RANGE.fullmatch(part)
        language = find_language(match.group(1)) if match else None
        if match and language:
            weighed.append((float(match.group(2) or 1), language))
    acceptable = [pair for pair in weighed if pair[0] > 0]
    return max(acceptable, key=lambda pair: pair[0])[1] if acceptable else None


def compile_pages() -> None:
    """For the packaging: the pages' templates, compiled."""
    from chalicelib.vendors.templates import compile_templates  # noqa: PLC0415 - as _environment

    compile_templates(_environment(), FOLDER / COMPILED, lambda name: name.endswith(".j2"))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - Jinja2 is loaded by the first page

    from chalicelib.vendors.templates import loader_of  # noqa: PLC0415 - as Jinja2

    return Environment(
        loader=loader_of(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
