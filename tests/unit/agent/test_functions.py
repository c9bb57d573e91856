"""What the agent makes of whatever the functions, or something in their place, answer over HTTP."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chalicelib.contracts.edge import EVENTS_PATH, BatchReceipt, EventBatch
from sip_edge.agent.functions import MOST_QUESTIONS, Functions, FunctionsAway, RequestRefused
from sip_edge.agent.metrics import Metrics
from sip_edge.agent.settings import BadSetting
from tests.ports import free_port
from tests.sip.waiting import GENEROUS_SECONDS, wait_until


@dataclass
class Server:
    """Answers every request alike."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    credentials: list[str] = field(default_factory=list)  # that it was shown
    questions_may_go: threading.Event = field(default_factory=threading.Event)  # set: at once

    def __post_init__(self) -> None:
        self.questions_may_go.set()


class Listening(ThreadingHTTPServer):
    """Takes as many connections at once as the agent opens, of which some are gone before their answer."""

    request_queue_size = 2 * MOST_QUESTIONS

    def handle_error(self, request: object, client_address: object) -> None:
        pass


def test_a_trust_anchor_that_cannot_be_read_is_named() -> None:
    with pytest.raises(BadSetting, match=r"EDGE_TRUST_ANCHOR.*No such file"):
        Functions("https://gateway.example", trust_anchor="/nowhere.pem", load_credential=str, metrics=Metrics())


@pytest.fixture
def server() -> Iterator[Server]:
    said = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            said.credentials.append(self.headers["Authorization"])
            if self.path != EVENTS_PATH:
                said.questions_may_go.wait(GENEROUS_SECONDS)
            self.send_response(said.status)
            for name, value in {"Content-Type": "application/json", **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *_: object) -> None:
            pass

    listening = Listening(("127.0.0.1", free_port()), Handler)
    said.url = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield said
    listening.shutdown()
    listening.server_close()
    thread.join()


class Secrets:
    """Counts how often it was asked for the credential."""

    def __init__(self, *values: str) -> None:
        self._values = list(values)
        self.asked = 0

    def load(self) -> str:
        self.asked += 1
        if not self._values:
            raise BadSetting("no secret")
        return self._values.pop(0)


async def post(server: Server, secrets: Secrets | None = None, *, times: int = 1) -> list[object]:
    """What becomes of an empty batch posted so many times at once."""
    load = (secrets or Secrets("first")).load
    functions = Functions(server.url, trust_anchor="", load_credential=load, metrics=Metrics())
    try:
        work = (functions.post_events(EventBatch("edge-1", ())) for _ in range(times))
        return list(await asyncio.gather(*work, return_exceptions=True))
    finally:
        await functions.close()


async def ask_who(server: Server) -> object:
    functions = Functions(server.url, trust_anchor="", load_credential=Secrets("first").load, metrics=Metrics())
    try:
        return await functions.request_credentials("u.1")
    finally:
        await functions.close()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_batch_that_is_refused_as_wrong_is_told_from_functions_that_are_away(server: Server, status: int) -> None:
    server.status = status
    (outcome,) = asyncio.run(post(server))

    assert isinstance(outcome, RequestRefused)


@pytest.mark.parametrize("status", [301, 308, 401, 403, 404, 405, 407, 408, 409, 415, 429, 500, 503])
def test_no_other_status_costs_an_event(server: Server, status: int) -> None:
    server.status = status
    server.headers = {"Location": "http://[no address"} if status < 400 else {"Retry-After": "86400"}
    (outcome,) = asyncio.run(post(server))

    assert isinstance(outcome, FunctionsAway)


@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_page_for_people_is_no_answer_of_the_functions(server: Server, status: int) -> None:
    """Such as a load balancer's while nothing stands behind it: no phone is unknown because of it."""
    server.status, server.headers, server.body = status, {"Content-Type": "text/html; charset=utf-8"}, b"<h1>Not here</h1>"
    (outcome,) = asyncio.run(post(server))

    assert isinstance(outcome, FunctionsAway)
    with pytest.raises(FunctionsAway):
        asyncio.run(ask_who(server))


def test_404_says_that_nobody_has_the_name(server: Server) -> None:
    server.status, server.body = 404, b'{"code":"not_found"}'

    assert asyncio.run(ask_who(server)) is None


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"\xff\xfe", {}),
        (b"[" * 100_000, {}),
        (b"{}", {"Content-Encoding": "gzip"}),
        (gzip.compress(b"not JSON"), {"Content-Encoding": "gzip"}),
        (b'{"accepted": 7}', {}),
    ],
    ids=["nothing", "no text", "too deep", "no gzip", "no JSON", "another shape"],
)
def test_an_answer_that_is_not_in_the_contract_is_none(server: Server, body: bytes, headers: dict[str, str]) -> None:
    server.body, server.headers = body, headers
    (outcome,) = asyncio.run(post(server))

    assert isinstance(outcome, FunctionsAway)


def test_many_refused_at_once_ask_for_another_credential_once(server: Server) -> None:
    """A credential that was rotated by mistake must not cost a request to Secrets Manager for each phone."""
    server.status = 401
    secrets = Secrets("first", "first", "first")
    outcomes = asyncio.run(post(server, secrets, times=20))

    assert ([FunctionsAway] * 20, 2) == ([type(outcome) for outcome in outcomes], secrets.asked)


def test_a_secret_that_comes_slowly_holds_up_nothing_else(server: Server) -> None:
    """Reading it once took the event loop, and with it every phone's answer."""
    asked, released = threading.Event(), threading.Event()
    loaded = ["first"]

    def load() -> str:
        if loaded:
            return loaded.pop()
        asked.set()
        assert released.wait(GENEROUS_SECONDS), "the event loop stood still"
        return "second"

    async def work() -> None:
        functions = Functions(server.url, trust_anchor="", load_credential=load, metrics=Metrics())
        posting = asyncio.ensure_future(functions.post_events(EventBatch("edge-1", ())))
        await asyncio.to_thread(wait_until, asked.is_set)
        released.set()
        await asyncio.wait([posting])
        assert isinstance(posting.exception(), FunctionsAway)
        await functions.close()

    server.status = 401
    asyncio.run(work())
    assert ["Bearer first", "Bearer second"] == server.credentials


def test_more_questions_than_can_be_asked_wait_for_a_place_and_events_for_none(server: Server) -> None:
    """A building comes back while the functions are slow. All of them at httpx took the event loop for a minute."""
    others = 50

    async def work() -> tuple[list[object], object]:
        functions = Functions(server.url, trust_anchor="", load_credential=Secrets("first").load, metrics=Metrics())
        asked = (functions.request_credentials(f"u.{number}") for number in range(MOST_QUESTIONS + others))
        questions = asyncio.gather(*asked, return_exceptions=True)
        await asyncio.sleep(0)  # all have been asked, before the events
        receipt = await asyncio.gather(functions.post_events(EventBatch("edge-1", ())), return_exceptions=True)
        outcomes = list(await questions)
        server.questions_may_go.set()
        await functions.close()
        return outcomes, receipt[0]

    server.questions_may_go.clear()
    server.body = b'{"accepted": [], "commands": []}'
    outcomes, receipt = asyncio.run(work())

    late, no_place = str(FunctionsAway("TimeoutError")), str(FunctionsAway("too many questions at once"))
    assert [late] * MOST_QUESTIONS + [no_place] * others == [str(outcome) for outcome in outcomes]
    assert BatchReceipt(()) == receipt
