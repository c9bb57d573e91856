"""The gateway's HTTP API as the commands use it: `/v1` requests with a bearer token, pages, refusals as failures.

It knows no command and prints nothing.
"""

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from cli.connection import JsonObject, expect_object, open_client, parse_object
from cli.failures import BadInput, Refusal, StrangeAnswer, refusal_from, unreachable_from
from cli.settings import Settings
from cli.tokens import find_token

_PAGE = 200  # the API's largest page
_NOT_FOUND = 404


class Gateway:
    """An open connection to one gateway as one administrator. Every method raises a Failure, and nothing else."""

    def __init__(self, client: httpx.Client, url: str, token: str) -> None:
        self._client = client
        self._url = url
        self._token = token

    def get(self, path: str, **query: str) -> JsonObject:
        return expect_object(self._send("GET", path, params=query))

    def find(self, path: str) -> JsonObject:
        """What is at this path; {} where nothing is."""
        try:
            return self.get(path)
        except Refusal as refusal:
            if refusal.status == _NOT_FOUND:
                return {}
            raise

    def post(self, path: str, body: JsonObject | None = None) -> JsonObject:
        return expect_object(self._send("POST", path, json=body or {}, headers=_once()))

    def upload(self, path: str, content: bytes, *, content_type: str) -> JsonObject:
        return expect_object(self._send("POST", path, content=content, headers={**_once(), "Content-Type": content_type}))

    def post_for_csv(self, path: str, body: JsonObject) -> str:
        """The answer as a table."""
        return self._send("POST", path, json=body, headers={**_once(), "Accept": "text/csv"}).text

    def put(self, path: str, body: JsonObject) -> JsonObject:
        return expect_object(self._send("PUT", path, json=body))

    def patch(self, path: str, body: JsonObject) -> JsonObject:
        return expect_object(self._send("PATCH", path, json=body))

    def delete(self, path: str) -> JsonObject:
        return expect_object(self._send("DELETE", path))

    def download(self, path: str) -> bytes:
        """The bytes of a file, whatever its type."""
        return self._send("GET", path, headers={"Accept": "*/*"}).content

    def collect(
        self, path: str, query: Mapping[str, str | None], *, limit: int | None, on_page: Callable[[int], None]
    ) -> JsonObject:
        """All items of a list over its pages, at most `limit`; `next_cursor` stays where more are left."""
        items: list[Any] = []
        wanted = {name: value for name, value in query.items() if value}
        cursor: str | None = None
        while True:
            size = _PAGE if limit is None else min(_PAGE, limit - len(items))
            page = self.get(path, **wanted, limit=str(size), **({"cursor": cursor} if cursor else {}))
            found, following = _parse_page(page, path)
            items += found[:size]
            on_page(len(items))
            if not following or len(items) == limit:
                return {**page, "items": items, "next_cursor": following}
            if following == cursor:
                raise StrangeAnswer(
                    f"{path}: the gateway's next page is the same page", advice="Use --limit to see what there is."
                )
            cursor = following

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", {}))
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            response = self._client.request(method, self._url + path, headers=headers, **options)
        except httpx.RequestError as error:
            raise unreachable_from(self._url, error) from error
        if response.is_success:
            return response
        text = response.text.replace(self._token, "***") if self._token else response.text
        raise refusal_from(response.status_code, parse_object(text))


def read_settings() -> Settings:
    """The settings of this run."""
    return Settings.from_environment(os.environ)


@contextmanager
def open_gateway(*, authenticated: bool = True) -> Iterator[Gateway]:
    """The gateway of the settings; without a token where the API needs none."""
    settings = read_settings()
    token = find_token(settings) if authenticated else ""
    with open_client(settings.gateway_url, settings.ca_file) as client:
        yield Gateway(client, settings.gateway_url, token)


def segment(text: str) -> str:
    """One path segment, whatever the name holds."""
    if text in {"", ".", ".."}:
        raise BadInput(f"{text!r} is no name")
    return quote(text, safe="")


def _once() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def _parse_page(page: JsonObject, path: str) -> tuple[list[Any], str | None]:
    items, cursor = page.get("items"), page.get("next_cursor")
    if not isinstance(items, list) or not isinstance(cursor, str | None):
        raise StrangeAnswer(f"{path}: the gateway answered no list", advice="Check that SIPGW_URL is a SIP Gateway.")
    return items, cursor
