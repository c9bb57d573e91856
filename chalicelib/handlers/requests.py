"""What a handler needs of one HTTP request, apart from Chalice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from chalice.app import Request

from chalicelib.contracts.codec import InvalidInput, Problem, from_json
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import BadRequest, PayloadTooLarge
from chalicelib.handlers.contract import DEFAULT_PAGE, LONGEST_PAGE

T = TypeVar("T")

LONGEST_BODY = 1024 * 1024


@dataclass(frozen=True)
class HttpCall:
    """One request. Header names are in lower case; `query` holds the last value of each name; `address` is the caller's.

    `certificate_subject` is that of a client certificate which API Gateway has checked (mutual TLS); empty without one.
    """

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    address: str
    request_id: str
    certificate_subject: str = ""

    @property
    def user_agent(self) -> str:
        return self.headers.get("user-agent", "")

    @property
    def bearer(self) -> str:
        """The bearer token, empty without one (RFC 6750 section 2.1)."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


def read_call(request: Request) -> HttpCall:
    """From Chalice's request."""
    query = request.query_params
    identity = request.context.get("identity") or {}
    return HttpCall(
        method=str(request.method),
        headers={name.lower(): str(value) for name, value in dict(request.headers).items()},
        query={name: str(query[name]) for name in query} if query else {},
        body=_body(request),
        address=str(identity.get("sourceIp", "")),
        request_id=str(request.context.get("requestId", "")),
        certificate_subject=str((identity.get("clientCert") or {}).get("subjectDN") or ""),
    )


def parse_body(kind: type[T], call: HttpCall) -> T:
    """The JSON body as `kind`, unknown fields refused. Raises BadRequest that names every wrong field."""
    if not call.body.strip():
        return _parse(kind, {})
    return _parse(kind, parse_json(call))


def parse_json(call: HttpCall) -> Any:
    """The body as JSON. Raises BadRequest or PayloadTooLarge."""
    try:
        return json.loads(parse_text(call))
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON.", (Problem("", "must be a JSON document in UTF-8"),)) from None


def parse_text(call: HttpCall) -> str:
    """The body as UTF-8 text. Raises BadRequest or PayloadTooLarge."""
    if len(call.body) > LONGEST_BODY:
        raise PayloadTooLarge(f"A body may have at most {LONGEST_BODY} bytes.")
    try:
        return call.body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8 text.", (Problem("", "must be UTF-8"),)) from None


def parse_query(kind: type[T], call: HttpCall, *paging: str) -> T:
    """The query string as `kind`, all of text. Raises BadRequest for a parameter that does not exist."""
    return _parse(kind, {name: value for name, value in call.query.items() if name not in paging})


def parse_limit(call: HttpCall) -> int:
    """`?limit=`, 50 unless told. Raises BadRequest."""
    text = call.query.get("limit", str(DEFAULT_PAGE))
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:9]) <= LONGEST_PAGE:
        raise BadRequest("The limit cannot be used.", (Problem("/limit", f"must be a whole number from 1 to {LONGEST_PAGE}"),))
    return int(text)


def _parse(kind: type[T], data: object) -> T:
    try:
        return from_json(kind, data, strict=True)
    except InvalidInput as wrong:
        raise BadRequest("Some fields cannot be used.", wrong.problems) from None


def _body(request: Request) -> bytes:
    raw = request.raw_body
    return raw if isinstance(raw, bytes) else str(raw or "").encode()
