"""The phone's own screens: what they say, and the document in the vendor's format."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.vendors.catalogue import vendor as vendor_of
from chalicelib.vendors.rendering import render_xml


@dataclass(frozen=True)
class SoftKey:
    """A key under the screen. Without a URL it leaves the screen."""

    label: str
    url: str = ""


@dataclass(frozen=True)
class Screen:
    """Text and keys. `cancel_url` is asked for when the person leaves by the phone's own cancel key."""

    title: str
    lines: tuple[str, ...]
    soft_keys: tuple[SoftKey, ...]
    cancel_url: str = ""


@dataclass(frozen=True)
class ScreenDocument:
    """A screen as the vendor's phones read it."""

    content_type: str
    body: str


def render_screen(vendor_name: str, screen: Screen) -> ScreenDocument:
    """The document. Texts are escaped; the vendor's limit in bytes is kept, since every line is bounded."""
    vendor = vendor_of(vendor_name)
    return ScreenDocument(vendor.screen_content_type, render_xml(vendor_name, vendor.screen_template, screen=screen))
