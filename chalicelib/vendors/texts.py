"""Texts in the phone's or the browser's language, from the gettext catalogues in locales/."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).parent.parent / "locales"


@cache
def translator(language: str) -> Callable[[str], str]:
    """The function that translates; English texts are their own keys, and stand in for what a language lacks."""
    return gettext.translation("gateway", str(LOCALES), languages=[language], fallback=True).gettext
