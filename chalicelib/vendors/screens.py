"""The phone's own screens: what they say, and the document in the vendor's format."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.vendors.catalogue import vendor as vendor_of
from chalicelib.vendors.rendering import render

REFRESH_SECONDS = 10


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
    """The document, or None for phones without a browser. Texts are escaped; every line is bounded, and so is the document."""
    known = vendor_of(vendor_name).screen
    if known is None:
        return None
    refresh = f"{REFRESH_SECONDS}; url={screen.refresh_url}" if known.refresh and screen.refresh_url else ""
    return ScreenDocument(known.content_type, render(vendor_name, known.template, screen=screen), refresh)
