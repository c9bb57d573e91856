"""Requests to Microsoft Graph: one at a time or batched, with its time limits kept, and no more patience than a function has.

Knows nothing of users. Graph's rules: "Microsoft Graph throttling guidance", "JSON batching", "Paging" (docs/graph.md).
"""

from __future__ import annotations

import json
import math
import random
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from chalicelib.adapters.entra.loopback import is_loopback_http
from chalicelib.adapters.graph.failures import away, no_consent, not_understood
from chalicelib.adapters.graph.tokens import GraphTokens
from chalicelib.contracts.frozen import dataclass
from chalicelib.observability import log
from chalicelib.settings import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import requests

    from chalicelib.domain.errors import DirectoryAway
    from chalicelib.domain.identifiers import TenantId
    from chalicelib.settings import Settings

T = TypeVar("T")

GRAPH = "https://graph.microsoft.com"
VERSION = "v1.0"
MOST_IN_A_BATCH = 20
SECONDS_IN_ALL = 8.0  # of one call of this module; two make a user, and API Gateway waits for 29 seconds
MOST_ATTEMPTS = 5
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 4.0  # where Graph names no time
SHORTEST_PAUSE_SECONDS = 5  # after giving up nobody asks for that tenant
LONGEST_PAUSE_SECONDS = 300
_PASSING = {429, 500, 502, 503, 504}
_OK, _REFUSED_TOKEN, _FORBIDDEN, _NOT_FOUND = 200, 401, 403, 404
_LAST_OF_OK = 299


class _Later(Exception):
    """This attempt failed, another may not. `seconds`: what Retry-After asked for."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds


class _TokenRefused(Exception):
    """401: the token has expired meanwhile, or was withdrawn."""


@dataclass(frozen=True)
class Patience:
    """Time and chance, which tests replace. `request_seconds`: how long one request may take."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    request_seconds: float = 5.0


class GraphClient:
    """See the module. Paths stand behind `/v1.0/`, with their query. Threads may share it."""

    def __init__(self, settings: Settings, tokens: GraphTokens, patience: Patience | None = None) -> None:
        if settings.graph_url != GRAPH and not is_loopback_http(settings.graph_url):
            raise BadSetting(f"SIPGW_GRAPH_URL is {settings.graph_url!r}; it must be {GRAPH} or http on a loopback address")
        self.base_url = f"{settings.graph_url}/{VERSION}/"
        self._loopback = settings.graph_url != GRAPH
        self._tokens = tokens
        self._patience = patience or Patience()
        self._paused_until: dict[TenantId, float] = {}
        self._session: requests.Session | None = None
        self._building = threading.Lock()

    def get(self, tenant_id: TenantId, path: str) -> dict[str, Any]:
        """One document. Raises DirectoryAway, DirectoryRefused, or NotUnderstood."""
        return self._persist(tenant_id, lambda deadline: self._request(tenant_id, "GET", path, None, deadline))

    def post(self, tenant_id: TenantId, path: str, body: Mapping[str, Any], seconds: float) -> None:
        """One action, within `seconds`. Raises as get."""
        self._persist(tenant_id, lambda deadline: self._request(tenant_id, "POST", path, body, deadline), seconds)

    def get_many(
        self, tenant_id: TenantId, paths: Sequence[str], seconds: float = SECONDS_IN_ALL
    ) -> list[dict[str, Any] | None]:
        """The documents in order, None for 404: 20 in one HTTP request. What a batch lacks is asked for again, alone of it."""
        found: dict[int, dict[str, Any] | None] = {}
        deadline = self._patience.clock() + seconds
        for start in range(0, len(paths), MOST_IN_A_BATCH):
            wanted = {number: paths[number] for number in range(start, min(start + MOST_IN_A_BATCH, len(paths)))}

            def attempt(deadline: float, wanted: dict[int, str] = wanted) -> None:
                missing = {number: path for number, path in wanted.items() if number not in found}
                later = self._ask_batch(tenant_id, missing, found, deadline)
                if later:
                    raise later

            self._persist(tenant_id, attempt, deadline - self._patience.clock())
        return [found[number] for number in range(len(paths))]

    def _ask_batch(
        self, tenant_id: TenantId, wanted: Mapping[int, str], found: dict[int, dict[str, Any] | None], deadline: float
    ) -> _Later | None:
        """Fills `found`; what to wait for, where something is missing."""
        requests = [{"id": str(number), "method": "GET", "url": f"/{path}"} for number, path in wanted.items()]
        answer = self._request(tenant_id, "POST", "$batch", {"requests": requests}, deadline)
        parts = answer.get("responses")
        later: _Later | None = None
        for part in parts if isinstance(parts, list) else ():
            number, status, body = _read_part(part)
            try:
                _check_status(status, part.get("headers") or {})
            except _Later as failed:
                later = failed if later is None or (failed.seconds or 0) > (later.seconds or 0) else later
                continue
            if number in wanted:
                found[number] = body if status != _NOT_FOUND else None
        if later is None and any(number not in found for number in wanted):
            return _Later("the batch's answer is incomplete")
        return later

    def _persist(self, tenant_id: TenantId, attempt: Callable[[float], T], seconds: float = SECONDS_IN_ALL) -> T:
        """Calls `attempt` with the end of `seconds`, again after each wait that Graph asks for, until then."""
        deadline = self._patience.clock() + seconds
        self._check_pause(tenant_id)
        token_refused = False
        for number in range(MOST_ATTEMPTS):
            try:
                return attempt(deadline)
            except _TokenRefused:
                if token_refused:
                    raise no_consent() from None
                token_refused = True
                self._tokens.forget(tenant_id)
            except _Later as later:
                wait = self._wait_after(later, number)
                if number == MOST_ATTEMPTS - 1 or self._patience.clock() + wait >= deadline:
                    hurried = seconds < self._patience.request_seconds and later.seconds is None
                    raise self._give_up(tenant_id, later, 0 if hurried else max(wait, SHORTEST_PAUSE_SECONDS)) from later
                self._patience.sleep(wait)
        raise away(SHORTEST_PAUSE_SECONDS)  # the token was refused at the last attempt

    def _wait_after(self, later: _Later, attempts: int) -> float:
        """What Graph asks for and a little more, or ever longer; never in step with other functions."""
        if later.seconds is not None:
            return later.seconds + 0.5 * self._patience.chance()
        return float(min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**attempts)) * (0.5 + self._patience.chance())

    def _check_pause(self, tenant_id: TenantId) -> None:
        left = self._paused_until.get(tenant_id, 0) - self._patience.clock()
        if left > 0:
            raise away(left)

    def _give_up(self, tenant_id: TenantId, later: _Later, pause: float) -> DirectoryAway:
        """While Graph is away or throttles, requests of the tenant fail at once: more would only count against it."""
        pause = min(pause, LONGEST_PAUSE_SECONDS)
        self._paused_until[tenant_id] = self._patience.clock() + pause
        log().warning("graph_away", extra={"tenant_id": tenant_id, "reason": later.reason, "pause_seconds": math.ceil(pause)})
        return away(max(pause, SHORTEST_PAUSE_SECONDS))

    def _request(
        self, tenant_id: TenantId, method: str, path: str, body: Mapping[str, Any] | None, deadline: float
    ) -> dict[str, Any]:
        token = self._tokens.load_token(tenant_id)
        session = self._open_session()
        import requests  # noqa: PLC0415 - loaded with the session

        try:
            answer = session.request(
                method,
                self.base_url + path,
                json=body,
                headers={"Authorization": f"Bearer {token.reveal()}", "Accept": "application/json"},
                timeout=min(self._patience.request_seconds, max(deadline - self._patience.clock(), 0.1)),
                allow_redirects=False,  # the token goes nowhere else
            )
        except requests.RequestException as error:
            raise _Later(type(error).__name__) from error
        _check_status(answer.status_code, answer.headers)
        if answer.status_code == _NOT_FOUND:
            raise not_understood()
        return _read_document(answer.content)

    def _open_session(self) -> requests.Session:
        with self._building:
            if self._session is None:
                import requests  # noqa: PLC0415 - 60 ms that only a call of Graph pays

                self._session = requests.Session()
                self._session.trust_env = not self._loopback  # no proxy stands between two processes of one machine
            return self._session


def _check_status(status: int, headers: Mapping[str, str]) -> None:
    """Returns for success and 404. Raises what is to be done about any other."""
    if status == _REFUSED_TOKEN:
        raise _TokenRefused
    if status == _FORBIDDEN:
        raise no_consent()
    if status in _PASSING:
        raise _Later(f"status {status}", _retry_after(headers))
    if status != _NOT_FOUND and not _OK <= status <= _LAST_OF_OK:
        raise not_understood()


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, as Graph sends it; None without one, or where it is a date (RFC 9110 10.2.3), which Graph does not send."""
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(text) if text.isascii() and text.isdecimal() else None


def _read_document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content) if content.strip() else {}
    except ValueError as error:
        raise _Later("the answer is no JSON") from error
    if not isinstance(document, dict):
        raise _Later("the answer is no JSON object")
    return document


def _read_part(part: Any) -> tuple[int, int, dict[str, Any]]:
    """Number, status and document of a batch's part."""
    try:
        number, status, body = int(part["id"]), int(part["status"]), part.get("body")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _Later("a part of the batch cannot be read") from error
    if status == _OK and not isinstance(body, dict):
        raise _Later("a part of the batch is no JSON object")
    return number, status, body if isinstance(body, dict) else {}
