"""The device's browser: opens a key's URL and follows soft keys. What a document may hold is its vendor's affair."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from local.virtual_phone.errors import ScreenError
from local.virtual_phone.http_client import HttpClient, mask_url

EXIT = "SoftKey:Exit"
EXECUTE = "Execute"  # a document that is not shown; its addresses are fetched
_MAXIMUM_HOPS = 4
_HTTP_OK = 200
_PAGE = re.compile(r"https?://[^\s]+")


@dataclass(frozen=True)
class SoftKey:
    """One of the keys under the screen."""

    index: int
    label: str
    uri: str


@dataclass(frozen=True)
class MenuItem:
    """A line of a menu, or an address of an Execute (its prompt is empty)."""

    prompt: str
    uri: str


@dataclass(frozen=True)
class Screen:
    """What the device shows; `kind` is the object's name without the vendor's prefix."""

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


class ParseScreen(Protocol):
    """A vendor's reader of documents."""

    def __call__(self, content: bytes, *, content_type: str, url: str) -> Screen: ...


class Browser:
    """Keeps the open screen; None while the device is idle."""

    def __init__(self, http: HttpClient, parse: ParseScreen) -> None:
        self.screen: Screen | None = None
        self._http = http
        self._parse = parse

    def open(self, url: str) -> Screen | None:
        """Fetches and shows a document. Addresses of an Execute are fetched in turn; None where nothing is left to show."""
        pending = [url]
        for _ in range(_MAXIMUM_HOPS):
            if not pending:
                return self.screen
            document = self._request_screen(pending.pop(0))
            if document.kind != EXECUTE:
                self.screen = document
            pending += [item.uri for item in document.items if document.kind == EXECUTE and is_page(item.uri)]
        if pending:
            raise ScreenError(f"{mask_url(url)} leads from one Execute to the next without end")
        return self.screen

    def press(self, label: str) -> Screen | None:
        """Presses a soft key or chooses a menu item of the open screen; None where that left the browser."""
        if self.screen is None:
            raise ScreenError(f"no screen is open, so there is no key {label!r}")
        uri = self.screen.find_uri(label)
        if uri == EXIT:
            self.leave()
            return None
        if is_page(uri):
            return self.open(uri)
        raise ScreenError(f"the key {label!r} does {uri}, which this phone does not imitate")

    def leave(self) -> None:
        self.screen = None

    def _request_screen(self, url: str) -> Screen:
        answer = self._http.get(url)
        if answer.status != _HTTP_OK:
            raise ScreenError(f"{mask_url(url)} answered {answer.status}; the phone shows only 200")
        return self._parse(answer.content, content_type=answer.content_type, url=answer.url)


def is_page(uri: str) -> bool:
    """Whether it is the address of a document, not a word of the browser."""
    return _PAGE.fullmatch(uri) is not None


def check_document(content: bytes, content_type: str, *, expected: str, longest: int) -> None:
    """Raises ScreenError for a document of another type, or a longer one."""
    if content_type.partition(";")[0].strip().lower() != expected:
        raise ScreenError(f"Content-Type is {content_type!r}; the phone opens {expected}")
    if len(content) > longest:
        raise ScreenError(f"the document has {len(content)} bytes; the phone takes {longest}")
