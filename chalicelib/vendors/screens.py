"""The phone's own screens: what they say, and the document in the vendor's format."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace

from chalicelib.contracts.frozen import dataclass
from chalicelib.vendors.catalogue import vendor as vendor_of
from chalicelib.vendors.rendering import LONGEST_VALUE, clean, render

REFRESH_SECONDS = 10
MOST_LINES = 16
_SHORT_TITLE = 32


@dataclass(frozen=True)
class SoftKey:
    """A key under the screen. Without a URL it leaves the screen."""

    label: str
    url: str = ""


@dataclass(frozen=True)
class Screen:
    """Text and keys. `cancel_url` is asked for when the person leaves by the phone's own cancel key.

    `refresh_url` is asked for again and again while the screen waits for something.
    """

    title: str
    lines: tuple[str, ...]
    soft_keys: tuple[SoftKey, ...]
    cancel_url: str = ""
    refresh_url: str = ""


@dataclass(frozen=True)
class ScreenDocument:
    """A screen as the vendor's phones read it."""

    content_type: str
    body: str
    refresh: str = ""  # the HTTP Refresh header, empty for none


def render_screen(vendor_name: str, screen: Screen) -> ScreenDocument | None:
    """The document, or None for phones without a browser. Texts are escaped, and cut where the phone cannot take them all."""
    known = vendor_of(vendor_name).screen
    if known is None:
        return None

    def draw(shown: Screen) -> str:
        return render(vendor_name, known.template, screen=shown)

    def is_too_long(shown: Screen) -> bool:
        return len(draw(shown).encode()) > known.longest

    fitting = _cut_to_fit(screen, is_too_long) if is_too_long(screen) else screen
    refresh = f"{REFRESH_SECONDS}; url={screen.refresh_url}" if known.refresh and screen.refresh_url else ""
    return ScreenDocument(known.content_type, draw(fitting), refresh)


def _cut_to_fit(screen: Screen, is_too_long: Callable[[Screen], bool]) -> Screen:
    """The screen with every text cut to the same length, the longest that fits.

    An URL cannot be cut: where the URLs alone are too long, the title is all that is left.
    """
    lengths = range(LONGEST_VALUE + 1)
    fitting = bisect_right(lengths, x=False, key=lambda length: is_too_long(_cut(screen, length))) - 1
    if fitting >= 0:
        return _cut(screen, fitting)
    return Screen(clean(screen.title)[:_SHORT_TITLE], ("",), ())


def _cut(screen: Screen, length: int) -> Screen:
    return replace(
        screen,
        title=clean(screen.title)[:length],
        lines=tuple(clean(line)[:length] for line in screen.lines[:MOST_LINES]),
        soft_keys=tuple(replace(key, label=clean(key.label)[:length]) for key in screen.soft_keys),
    )
