"""The functions, as the edge sees them: five answers over HTTPS with the edge credential. Retries are the callers' affair."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx

from chalicelib.contracts.codec import InvalidInput, from_json, to_json
from chalicelib.contracts.edge import (
    CREDENTIALS_PATH,
    EVENTS_PATH,
    FEATURE_CODES_PATH,
    ROUTE_PATH,
    BatchReceipt,
    Credentials,
    CredentialsRequest,
    EventBatch,
    FeatureCodeRequest,
    FeatureCodeVerdict,
    Route,
    RouteRequest,
)
from sip_edge.agent.metrics import Metrics
from sip_edge.agent.settings import BadSetting

T = TypeVar("T")

# Whole answers, in seconds. Kamailio waits 2.5 for credentials and 1.9 for a verdict or a route.
CREDENTIALS_SECONDS = 2.0
VERDICT_SECONDS = 1.6
ROUTE_SECONDS = 1.6
EVENTS_SECONDS = 10.0
RELOAD_SECONDS = 5.0  # between two looks for another credential

# httpx looks through all its waiting requests whenever one comes or ends: with 500 of them nothing else has its turn for long.
# So questions wait here, and no longer than leaves them time for an answer. Events never wait for a connection.
MOST_QUESTIONS = 100
_MOST_CONNECTIONS = MOST_QUESTIONS + 2
_WAITING_SHARE = 0.5  # of a question's time

# What a batch itself is refused for. No other status, such as 404 in the middle of a roll-out, is a reason to give events up.
_ABOUT_THE_EVENTS = frozenset({400, 413, 422})


class FunctionsError(Exception):
    """The root of what can go wrong when the functions are asked."""


class FunctionsAway(FunctionsError):
    """Not now: no connection, too late, a 5xx, or an answer that is not what the contract says."""


class RequestRefused(FunctionsError):
    """The functions say that the request itself is wrong (4xx)."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class Functions:
    """A client with kept-alive connections. `load_credential` is called at the start and again after a 401."""

    def __init__(self, url: str, *, trust_anchor: str, load_credential: Callable[[], str], metrics: Metrics) -> None:
        """Raises BadSetting where `trust_anchor`, a PEM file, cannot be read."""
        verify = _trusting(trust_anchor) if url.startswith("https://") else False
        self._client = httpx.AsyncClient(
            base_url=url,
            verify=verify,
            limits=httpx.Limits(max_connections=_MOST_CONNECTIONS, max_keepalive_connections=20, keepalive_expiry=60),
            timeout=EVENTS_SECONDS,
            trust_env=False,  # the edge talks to the functions alone, through no proxy of the environment
        )
        self._metrics = metrics
        self._load_credential = load_credential
        self._credential = load_credential()
        self._reloading = asyncio.Lock()
        self._reload_due = 0.0  # on the monotonic clock
        self._places = asyncio.Semaphore(MOST_QUESTIONS)

    async def close(self) -> None:
        await self._client.aclose()

    async def request_credentials(self, username: str) -> Credentials | None:
        """Who `username` is; None where nobody is. Raises FunctionsError."""
        try:
            return await self._question(CREDENTIALS_PATH, CredentialsRequest(username), Credentials, CREDENTIALS_SECONDS)
        except RequestRefused as refusal:
            if refusal.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def request_verdict(self, username: str, dialled: str) -> FeatureCodeVerdict:
        """What becomes of a dialled feature code. Raises FunctionsError."""
        deadline = datetime.now(UTC) + timedelta(seconds=VERDICT_SECONDS)
        request = FeatureCodeRequest(username, dialled, expires_at=deadline)
        return await self._question(FEATURE_CODES_PATH, request, FeatureCodeVerdict, VERDICT_SECONDS)

    async def request_route(self, username: str, target: str) -> Route:
        """Where a call of `username` goes, or one of the trunk where it is empty. Raises FunctionsError."""
        return await self._question(ROUTE_PATH, RouteRequest(username, target), Route, ROUTE_SECONDS)

    async def post_events(self, batch: EventBatch) -> BatchReceipt:
        """Delivers a batch. Raises FunctionsError."""
        try:
            return await self._ask(EVENTS_PATH, batch, BatchReceipt, seconds=EVENTS_SECONDS)
        except RequestRefused as refusal:
            if refusal.status in _ABOUT_THE_EVENTS:
                raise
            raise FunctionsAway(str(refusal)) from refusal

    async def _question(self, path: str, body: object, kind: type[T], seconds: float) -> T:
        """One of many at a time. Too many: raises FunctionsAway while Kamailio still waits."""
        end = time.monotonic() + seconds
        try:
            async with asyncio.timeout(seconds * _WAITING_SHARE):
                await self._places.acquire()
        except TimeoutError as problem:
            self._metrics.functions_failures.add(_call_of(path))
            raise FunctionsAway("too many questions at once") from problem
        try:
            return await self._ask(path, body, kind, seconds=end - time.monotonic())
        finally:
            self._places.release()

    async def _ask(self, path: str, body: object, kind: type[T], *, seconds: float) -> T:
        call = _call_of(path)
        try:
            with self._metrics.functions_seconds.timed(call):
                return await self._ask_in_time(path, body, kind, seconds=seconds)
        except FunctionsAway:
            self._metrics.functions_failures.add(call)
            raise

    async def _ask_in_time(self, path: str, body: object, kind: type[T], *, seconds: float) -> T:
        try:
            async with asyncio.timeout(seconds):
                response = await self._post(path, to_json(body))
                if response.status_code == httpx.codes.UNAUTHORIZED and await self._reload_credential():
                    response = await self._post(path, to_json(body))
        except (TimeoutError, httpx.HTTPError) as problem:
            raise FunctionsAway(type(problem).__name__) from problem
        return _read_answer(response, kind)

    async def _post(self, path: str, body: Any) -> httpx.Response:
        return await self._client.post(path, json=body, headers={"Authorization": f"Bearer {self._credential}"})

    async def _reload_credential(self) -> bool:
        """Whether there is another credential now: it rotates, and two are valid meanwhile. Secrets Manager may be slow."""
        refused = self._credential
        async with self._reloading:
            if self._credential == refused and time.monotonic() >= self._reload_due:
                self._reload_due = time.monotonic() + RELOAD_SECONDS
                with contextlib.suppress(BadSetting):
                    self._credential = await asyncio.to_thread(self._load_credential)
        return self._credential != refused


def _trusting(trust_anchor: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=trust_anchor or None)
    except OSError as problem:  # an SSLError is one
        raise BadSetting(f"EDGE_TRUST_ANCHOR must be a PEM file of certificates: {problem}") from None


def _call_of(path: str) -> str:
    """As the metrics name it."""
    return path.rpartition("/")[2].replace("-", "_")


def _read_answer(response: httpx.Response, kind: type[T]) -> T:
    # A page for people is a proxy's or a load balancer's, whatever its status: the functions have not spoken.
    if response.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise FunctionsAway(f"status {response.status_code}, a page in HTML")
    if response.is_client_error and response.status_code not in {
        httpx.codes.UNAUTHORIZED,  # the credential is wrong, not the request
        httpx.codes.FORBIDDEN,
        httpx.codes.REQUEST_TIMEOUT,
        httpx.codes.TOO_MANY_REQUESTS,
    }:
        raise RequestRefused(response.status_code)
    if not response.is_success:
        raise FunctionsAway(f"status {response.status_code}")
    try:
        return from_json(kind, response.json())
    except (InvalidInput, ValueError, RecursionError) as problem:
        raise FunctionsAway("an answer that is not in the contract") from problem
