"""The device's XML browser: opens a key's URL, checks the document as Yealink's guide demands, and follows soft keys.

Shown objects: TextScreen, FormattedTextScreen, TextMenu; Execute is not shown, its addresses are fetched. Other objects of
the guide are refused, as the gateway serves none. Source: "XML Browser Developer's Guide" (research/vendors.md 1.4).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from local.virtual_phone.errors import ScreenError
from local.virtual_phone.http_client import HttpClient, mask_url

MAXIMUM_BYTES = 10_000  # "The size of an XML object cannot exceed 10000 bytes"
_MAXIMUM_MENU_ITEMS = 30
_MAXIMUM_HOPS = 4
_SOFT_KEYS = range(1, 5)
_PREFIX = "YealinkIPPhone"
_SHOWN = frozenset({"TextScreen", "FormattedTextScreen", "TextMenu"})
_ADDRESS = re.compile(
    r"https?://[^\s]+|SoftKey:(?:Exit|Submit|Select|BackSpace|NextSpace|Dot)|Dial:[0-9*#+]+|(?:Key|Command):\w+"
)
_HTTP_OK = 200


@dataclass(frozen=True)
class SoftKey:
    """One of the four keys under the screen."""

    index: int
    label: str
    uri: str


@dataclass(frozen=True)
class MenuItem:
    """A line of a TextMenu, or an address of an Execute (its prompt is empty)."""

    prompt: str
    uri: str


@dataclass(frozen=True)
class Screen:
    """What the device shows; `kind` is the object's name without `YealinkIPPhone`."""

    kind: str
    url: str
    title: str
    lines: tuple[str, ...]
    soft_keys: tuple[SoftKey, ...] = ()
    items: tuple[MenuItem, ...] = ()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def find_uri(self, label: str) -> str:
        """Where a soft key or menu item leads. Raises ScreenError that lists what is there."""
        choices = {item.prompt: item.uri for item in self.items} | {key.label: key.uri for key in self.soft_keys}
        if label not in choices:
            raise ScreenError(f"the screen {self.title!r} has no key {label!r}, only {sorted(choices)}")
        return choices[label]


class XmlBrowser:
    """Keeps the open screen; None while the device is idle."""

    def __init__(self, http: HttpClient) -> None:
        self.screen: Screen | None = None
        self._http = http

    def open(self, url: str) -> Screen | None:
        """Fetches and shows a document. Addresses of an Execute are fetched in turn; None where nothing is left to show."""
        pending = [url]
        for _ in range(_MAXIMUM_HOPS):
            if not pending:
                return self.screen
            document = self._request_screen(pending.pop(0))
            if document.kind in _SHOWN:
                self.screen = document
            pending += [item.uri for item in document.items if document.kind == "Execute" and _is_page(item.uri)]
        if pending:
            raise ScreenError(f"{mask_url(url)} leads from one Execute to the next without end")
        return self.screen

    def press(self, label: str) -> Screen | None:
        """Presses a soft key or chooses a menu item of the open screen; None where that left the browser."""
        if self.screen is None:
            raise ScreenError(f"no screen is open, so there is no key {label!r}")
        uri = self.screen.find_uri(label)
        if uri == "SoftKey:Exit":
            self.leave()
            return None
        if _is_page(uri):
            return self.open(uri)
        raise ScreenError(f"the key {label!r} does {uri}, which this phone does not imitate")

    def leave(self) -> None:
        self.screen = None

    def _request_screen(self, url: str) -> Screen:
        answer = self._http.get(url)
        if answer.status != _HTTP_OK:
            raise ScreenError(f"{mask_url(url)} answered {answer.status}; the phone shows only 200")
        return parse_screen(answer.content, content_type=answer.content_type, url=answer.url)


def parse_screen(content: bytes, *, content_type: str, url: str) -> Screen:
    """A served document as a screen. Raises ScreenError that says what the device would stumble over."""
    if content_type.partition(";")[0].strip().lower() != "text/xml":
        raise ScreenError(f"Content-Type is {content_type!r}; the phone opens text/xml")
    if len(content) > MAXIMUM_BYTES:
        raise ScreenError(f"the document has {len(content)} bytes; the phone takes {MAXIMUM_BYTES}")
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ScreenError("the document declares a type or entities, which the phone does not read")
    try:
        root = ET.fromstring(content)  # noqa: S314 - entities were refused above and the size is bounded
    except (ET.ParseError, LookupError, ValueError) as error:  # unknown and multi-byte encodings raise the last two
        raise ScreenError(f"the document is not well-formed: {error}") from None
    kind = root.tag.removeprefix(_PREFIX)
    if not root.tag.startswith(_PREFIX) or kind not in _SHOWN | {"Execute"}:
        raise ScreenError(f"the document is a {root.tag!r}; expected {_PREFIX} and one of {sorted(_SHOWN | {'Execute'})}")
    return Screen(
        kind=kind,
        url=url,
        title=_text_of(root, "Title", required=kind in {"TextScreen", "TextMenu"}),
        lines=_read_lines(root, kind),
        soft_keys=_read_soft_keys(root),
        items=_read_items(root, kind),
    )


def _read_lines(root: ET.Element, kind: str) -> tuple[str, ...]:
    if kind == "TextScreen":
        return tuple(_text_of(root, "Text", required=True).split("\n"))
    if kind == "FormattedTextScreen":
        lines = tuple((line.text or "").strip() for line in root.iter("Line"))
        if not lines:
            raise ScreenError("a FormattedTextScreen needs at least one Line")
        return lines
    return ()


def _read_soft_keys(root: ET.Element) -> tuple[SoftKey, ...]:
    keys: dict[int, SoftKey] = {}
    for element in root.iter("SoftKey"):
        index = element.get("index", "")
        if index not in {str(number) for number in _SOFT_KEYS} or int(index) in keys:
            raise ScreenError(f"a SoftKey's index is {index!r}; it must be 1 to 4, each once")
        label = _text_of(element, "Label", required=True)
        keys[int(index)] = SoftKey(int(index), label, _checked_address(_text_of(element, "URI", required=True)))
    return tuple(keys[index] for index in sorted(keys))


def _read_items(root: ET.Element, kind: str) -> tuple[MenuItem, ...]:
    if kind == "TextMenu":
        items = tuple(
            MenuItem(_text_of(item, "Prompt", required=True), _checked_address(_text_of(item, "URI", required=True)))
            for item in root.iter("MenuItem")
        )
        if not 1 <= len(items) <= _MAXIMUM_MENU_ITEMS:
            raise ScreenError(f"a TextMenu has {len(items)} items; it must have 1 to {_MAXIMUM_MENU_ITEMS}")
        return items
    if kind == "Execute":
        return tuple(MenuItem("", _checked_address(uri)) for uri in _attributes(root.iter("ExecuteItem"), "URI"))
    return ()


def _attributes(elements: Iterable[ET.Element], name: str) -> list[str]:
    return [element.get(name, "") for element in elements]


def _text_of(element: ET.Element, name: str, *, required: bool) -> str:
    found = element.find(name)
    text = "" if found is None else (found.text or "").strip()
    if required and not text:
        raise ScreenError(f"{element.tag} needs a {name} with text")
    return text


def _checked_address(uri: str) -> str:
    if not _ADDRESS.fullmatch(uri):
        raise ScreenError(f"the address {mask_url(uri) if _is_page(uri) else uri!r} is none that the phone follows")
    return uri


def _is_page(uri: str) -> bool:
    return uri.startswith(("https://", "http://"))
