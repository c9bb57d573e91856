"""The gateway under test and everybody around it: its clock, its edge, phones, browsers and administrators.

Requests go through chalice.test to the real app, as API Gateway would send them. Fakes implement the ports; nothing is patched.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from chalice.test import Client

from app import app
from chalicelib import wiring
from chalicelib.adapters.counting import Cost, CountingStore
from chalicelib.adapters.directory import LocalDirectory
from chalicelib.adapters.sqlite import SqliteStore
from chalicelib.contracts.codec import format_time
from chalicelib.contracts.edge import CommandType, EdgeCommand
from chalicelib.domain.directory import CallingPolicy, User
from chalicelib.domain.errors import DirectoryAway, NotAuthenticated, SignInCancelled, SignInFailed
from chalicelib.domain.job import JobPart
from chalicelib.domain.keys import Keys
from chalicelib.domain.secret import Secret
from chalicelib.domain.tenant import Tenant
from chalicelib.settings import Settings
from chalicelib.usecases.ports import Caller, Gateway, SignedInPerson, Store
from chalicelib.usecases.run_job import run_part

TENANT = "d0000000-0000-4000-8000-000000000001"
OTHER_TENANT = "d0000000-0000-4000-8000-000000000002"
MAC = "805ec0123456"
HOME = "198.51.100.7"
ELSEWHERE = "203.0.113.99"
EDGE = "edge-1"
EDGE_CREDENTIALS = ("edge-secret-new", "edge-secret-old")
PUBLIC_URL = "https://gateway.example"
TRUST_ANCHOR = "-----BEGIN CERTIFICATE-----\nTUFERSBVUA==\n-----END CERTIFICATE-----\n"
ANNA = "anna@example.com"
BEN = "ben@example.com"
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
_ROLES = {"admin": "Gateway.Admin", "technician": "Gateway.Technician", "reader": "Gateway.Reader"}


# --- fakes -------------------------------------------------------------------------------------------------------------


@dataclass
class Clock:
    """The time, standing still until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class CountedText:
    """`random_text`, the same in every run."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def __call__(self) -> str:
        return base64.b32encode(hashlib.sha256(str(next(self._numbers)).encode()).digest()).decode().lower()[:26]


@dataclass
class RecordingLink:
    """The CommandLink port: what was sent to which edge. While `away` it takes nothing."""

    away: bool = False
    sent: list[tuple[str, EdgeCommand]] = field(default_factory=list)

    def send(self, edge_id: str, commands: Sequence[EdgeCommand]) -> bool:
        if self.away:
            return False
        self.sent.extend((edge_id, command) for command in commands)
        return True

    def of_type(self, kind: CommandType) -> list[EdgeCommand]:
        return [command for _, command in self.sent if command.type is kind]


@dataclass
class RecordingPresence:
    """The Presence port: who wants not to be disturbed. While `away` it shows nothing."""

    away: bool = False
    shown: dict[tuple[str, str], bool] = field(default_factory=dict)

    def show_do_not_disturb(self, tenant_id: str, upn: str, *, on: bool) -> None:
        if self.away:
            raise DirectoryAway
        self.shown[tenant_id, upn] = on


class TestQueue:
    """The WorkQueue port: a part is done as soon as it is put, unless it is delayed or the queue is `held`; then it waits."""

    __test__ = False

    def __init__(self, run: Callable[[JobPart], None]) -> None:
        self._run = run
        self._running = False
        self.held = False
        self.waiting: list[tuple[JobPart, int]] = []  # with its delay in seconds

    def put(self, part: JobPart, delay_seconds: int = 0) -> bool:
        self.waiting.append((part, delay_seconds))
        if not self.held and not self._running:
            self.drain()
        return True

    def drain(self) -> None:
        """Does every part that is not delayed, and those that they put."""
        self._running = True
        try:
            while due := next((item for item in self.waiting if not item[1]), None):
                self.waiting.remove(due)
                self._run(due[0])
        finally:
            self._running = False

    def wait(self, clock: Clock) -> int:
        """Lets the time of the first delayed part come, and does it; the seconds that it took."""
        due = min(self.waiting, key=lambda item: item[1])
        self.waiting = [(part, max(delay - due[1], 0)) for part, delay in self.waiting]
        clock.forward(seconds=due[1])
        self.drain()
        return due[1]


class NamedTokens:
    """The TokenCheck port for tokens such as `admin@TENANT`; `nobody@TENANT` has no role."""

    def check(self, bearer: str) -> Caller:
        role, _, tenant = bearer.partition("@")
        if role not in {*_ROLES, "nobody"} or not tenant:
            raise NotAuthenticated
        return Caller(tenant, f"{role}@example.com", frozenset({_ROLES[role]} if role in _ROLES else ()))


class NamedPeople:
    """The WebSignIn port: the authorization code is `TENANT UPN`."""

    def __init__(self) -> None:
        self._states = itertools.count(1)

    def start(self, redirect_uri: str, language: str) -> tuple[str, dict[str, Any]]:
        state = f"state-{next(self._states)}"
        query = urlencode({"redirect_uri": redirect_uri, "state": state, "ui_locales": language})
        return f"https://identity.example/authorize?{query}", {"state": state}

    def finish(self, flow: dict[str, Any], query: Mapping[str, str]) -> SignedInPerson:
        if query.get("error"):
            raise SignInCancelled
        tenant, _, upn = query.get("code", "").partition(" ")
        if query.get("state") != flow["state"] or not upn:
            raise SignInFailed
        return SignedInPerson(tenant, f"oid-{upn}", upn, upn.partition("@")[0].capitalize())


# --- HTTP --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class ApiGateway:
    """What API Gateway adds to an event and chalice.test does not: the caller's address, an id, decoded path parameters."""

    def __init__(self) -> None:
        self.address = HOME

    def __getattr__(self, name: str) -> Any:
        return getattr(app, name)

    def __call__(self, event: dict[str, Any], context: object) -> dict[str, Any]:
        event["requestContext"]["identity"]["sourceIp"] = self.address
        event["requestContext"]["requestId"] = "request-1"
        event["pathParameters"] = {name: unquote(value) for name, value in event["pathParameters"].items()}
        return app(event, context)


_api_gateway = ApiGateway()


@cache
def client() -> Client:
    """One client for all tests: it keeps nothing between requests."""
    return Client(_api_gateway)


# --- the world ---------------------------------------------------------------------------------------------------------


class World:
    """One gateway with its own store, and who talks to it. Its tenant is enabled and has Anna and Ben, who may sign in."""

    def __init__(self, path: str = ":memory:", store: Store | None = None, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.link = RecordingLink()
        self.presence = RecordingPresence()
        self.store = CountingStore(store or SqliteStore(path, self.clock.seconds))
        self.queue = TestQueue(lambda part: run_part(wiring.gateway(), part))
        self.gateway = Gateway(
            settings=Settings(
                public_url=PUBLIC_URL,
                sip_host="sip.gateway.example",
                sip_second="sip2.gateway.example:5071",
                allowed_tenants=f"{TENANT},{OTHER_TENANT}",
                egress_addresses="192.0.2.1, 192.0.2.2",
            ),
            store=self.store,
            directory=LocalDirectory(self.store),
            presence=self.presence,
            commands=self.link,
            work=self.queue,
            keys=Keys(Secret("a region key for tests of 32 letters")),
            edge_credentials=tuple(Secret(text) for text in EDGE_CREDENTIALS),
            web_sign_in=NamedPeople(),
            token_check=NamedTokens(),
            clock=self.clock,
            random_text=CountedText(),
            trust_anchor=TRUST_ANCHOR,
        )
        self.edge = EdgeAgent(self)
        self.admin = self.api()
        self._add_people()

    def _add_people(self) -> None:
        self.store.save(
            Tenant(TENANT, enabled=True),
            CallingPolicy(TENANT, "Global"),
            CallingPolicy(TENANT, "SIP phones", sip_devices_for_calls=True),
            CallingPolicy(TENANT, "Lobby", sip_devices_for_calls=True, common_area=True),
            User(TENANT, ANNA, "Anna Berg", "+4989123401", "SIP phones"),
            User(TENANT, BEN, "Ben Okafor", "+4989123402", "SIP phones"),
            User(TENANT, "lobby@example.com", "Lobby", "+4989123403", "Lobby"),
        )

    def open_other_tenant(self) -> None:
        self.store.save(
            Tenant(OTHER_TENANT, enabled=True),
            CallingPolicy(OTHER_TENANT, "Global", sip_devices_for_calls=True),
            User(OTHER_TENANT, "zoe@example.org", "Zoë", "+33123456701"),
        )

    def request(
        self, method: str, path: str, *, address: str = HOME, headers: Mapping[str, str] | None = None, body: str | bytes = b""
    ) -> Answer:
        _api_gateway.address = address
        sent = body.encode() if isinstance(body, str) else body
        response = client().http.request(method, path, headers=dict(headers or {}), body=sent)
        return Answer(
            response.status_code, {name.lower(): value for name, value in response.headers.items()}, response.body.decode()
        )

    def cost_of(self, action: Callable[[], object]) -> Cost:
        """What the action costs the store."""
        self.store.cost = Cost()
        action()
        return self.store.cost

    def phone(self, mac: str = MAC, **settings: Any) -> Phone:
        return Phone(self, mac, **settings)

    def api(self, role: str = "admin", tenant: str = TENANT) -> Api:
        return Api(self, f"{role}@{tenant}")

    def browser(self, address: str = HOME) -> Browser:
        return Browser(self, address)

    def device(self, mac: str = MAC) -> Any:
        """The device as its administrator sees it."""
        return self.admin.get(f"/v1/devices/{mac}").json

    def history(self, mac: str = MAC) -> list[tuple[str, dict[str, str]]]:
        """The device's history, newest first."""
        return [(event["type"], event["detail"]) for event in self.admin.get(f"/v1/devices/{mac}/events").json["items"]]

    def change(self, kind: type, *key: str, **fields: Any) -> None:
        """Changes a record of the directory as if somebody had."""
        self.store.save(replace(self.store.load(kind, *key), **fields))

    def change_user(self, upn: str = ANNA, **fields: Any) -> None:
        self.change(User, TENANT, upn, **fields)

    def change_tenant(self, **fields: Any) -> None:
        self.change(Tenant, TENANT, **fields)

    def issue_otp(self, mac: str = MAC, tenant: str = TENANT) -> str:
        """Adds the device where it is new, and gives its one-time password."""
        admin = self.api(tenant=tenant)
        admin.post("/v1/devices", {"mac": mac})
        return str(admin.post(f"/v1/devices/{mac}/otp").json["otp"])


@contextmanager
def serving(world: World, store: Store | None = None) -> Iterator[World]:
    """The app works with this world, or with another store in it."""
    wiring.use(replace(world.gateway, store=store) if store else world.gateway)
    try:
        yield world
    finally:
        wiring.use(None)


@dataclass
class Api:
    """A caller of `/v1`."""

    world: World
    token: str

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = body if isinstance(body, str | bytes) else b"" if body is None else json.dumps(body)
        sent_headers = {
            "Authorization": f"Bearer {self.token}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.world.request(method, path, headers=sent_headers, body=sent)

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.request("POST", path, body, **headers)

    def put(self, path: str, body: Any = None) -> Answer:
        return self.request("PUT", path, body)

    def patch(self, path: str, body: Any = None) -> Answer:
        return self.request("PATCH", path, body)

    def delete(self, path: str) -> Answer:
        return self.request("DELETE", path)


@dataclass
class EdgeAgent:
    """An edge's agent, calling `/edge/v1`. It says nothing of what it watches until `watch`, as while it has no link."""

    world: World
    edge_id: str = EDGE
    credential: str = EDGE_CREDENTIALS[0]
    numbers: Iterator[int] = field(default_factory=itertools.count)
    watched_since: datetime | None = None

    def watch(self) -> None:
        """From now on: the start of an agent, or of its link to Kamailio."""
        self.watched_since = self.world.clock.now

    def post(self, path: str, body: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.credential}", "Content-Type": "application/json"}
        return self.world.request("POST", f"/edge/v1/{path}", headers=headers, body=json.dumps(body))

    def event(self, kind: str, **fields: Any) -> dict[str, Any]:
        return {"id": f"event-{next(self.numbers)}", "type": kind, "at": format_time(self.world.clock.now), **fields}

    def report(self, *events: dict[str, Any], until: datetime | None = None) -> list[dict[str, Any]]:
        """Posts a batch; the commands of its receipt. `until`: of what others wait behind it, the time of its last event."""
        batch: dict[str, Any] = {"edge_id": self.edge_id, "events": events}
        if self.watched_since is not None:
            batch["watched_since"] = format_time(self.watched_since)
            batch["watched_until"] = format_time(until or self.world.clock.now)
        answer = self.post("events", batch)
        assert (200, [event["id"] for event in events]) == (answer.status, answer.json.get("accepted"))
        return list(answer.json["commands"])

    def report_finished(self, command_id: str, sip_status: int) -> list[dict[str, Any]]:
        return self.report(self.event("command_finished", command_id=command_id, sip_status=sip_status))

    def credentials(self, username: str) -> Answer:
        return self.post("credentials", {"username": username})

    def dial(self, username: str, dialled: str) -> tuple[str, int, str]:
        verdict = self.post("feature-codes", {"username": username, "dialled": dialled}).json
        return verdict["outcome"], verdict["sip_status"], verdict["reason"]

    def route(self, from_: str, to: str) -> dict[str, Any]:
        answer = self.post("route", {"from": from_, "to": to})
        assert 200 == answer.status
        return dict(answer.json)


@dataclass
class Phone:
    """A Yealink phone: HTTP as it speaks it, and SIP as the edge would report it."""

    world: World
    mac: str
    model: str = "T46S"
    firmware: str = "66.86.5.1"
    address: str = HOME
    words: str = ""  # before the file name at stage 1, such as `lang_de/`
    source_port: int = 40001
    base: str = ""  # its own URL's path, once it has one
    username: str = ""
    aor: str = ""

    @property
    def user_agent(self) -> str:
        return f"Yealink SIP-{self.model} {self.firmware} {':'.join(self.mac[i : i + 2] for i in range(0, 12, 2))}"

    @property
    def token(self) -> str:
        return self.base.split("/")[2]

    @property
    def source(self) -> str:
        return f"{self.address}:{self.source_port}"

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        sent = {"User-Agent": self.user_agent, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.world.request(method, path, address=self.address, headers=sent)

    def ask_stage_one(self) -> Answer:
        """The bootstrap file by MAC; where it names an URL, the phone keeps that."""
        answer = self.get(f"/{self.words}{self.mac}.cfg")
        found = re.search(r"^static\.auto_provision\.server\.url = (\S+)$", answer.text, re.MULTILINE)
        if answer.status == 200 and found:
            self.base = urlsplit(found.group(1)).path
        return answer

    def fetch(self, name: str = "", method: str = "GET", **headers: str) -> Answer:
        """A file under its own URL, its MAC file unless another is named; it uses the account in it."""
        answer = self.get(f"{self.base}{name or f'{self.mac}.cfg'}", method, **headers)
        settings = settings_in(answer.text)
        if "account.1.auth_name" in settings:
            self.username, self.aor = settings["account.1.auth_name"], settings["account.1.user_name"]
        return answer

    def settings(self) -> dict[str, str]:
        return settings_in(self.fetch().text)

    def screen(self, name: str) -> Answer:
        return self.get(f"{self.base}ui/{name}")

    def registered(self, **fields: Any) -> dict[str, Any]:
        """The edge event of its registration."""
        contact = f"<sip:{self.aor}@{self.source};transport=tls>"
        told = {"username": self.username, "aor": self.aor, "contact": contact, "source": self.source, "expires_seconds": 120}
        return self.world.edge.event("registered", **told, user_agent=self.user_agent, **fields)

    def register(self) -> list[dict[str, Any]]:
        """The commands that the receipt brought."""
        self.world.clock.forward(seconds=1)
        return self.world.edge.report(self.registered())

    def refresh(self) -> list[dict[str, Any]]:
        """As register, of a binding that the edge has reported just so before."""
        self.world.clock.forward(seconds=1)
        return self.world.edge.report(self.registered(refreshed=True))

    def unregister(self, reason: str = "expired") -> None:
        self.world.clock.forward(seconds=1)
        self.world.edge.report(self.unregistered(reason))

    def unregistered(self, reason: str = "expired") -> dict[str, Any]:
        return self.world.edge.event("unregistered", username=self.username, aor=self.aor, source=self.source, reason=reason)

    def credentials(self) -> Answer:
        return self.world.edge.credentials(self.username)

    def dial(self, dialled: str) -> tuple[str, int, str]:
        return self.world.edge.dial(self.username, dialled)

    def call(self, to: str) -> dict[str, Any]:
        """The route of a call."""
        return self.world.edge.route(self.username, to)

    def onboard(self) -> Phone:
        self.ask_stage_one()
        self.fetch()
        self.register()
        return self

    def enroll(self, tenant: str = TENANT) -> Phone:
        """Onboards, and dials a right one-time password."""
        self.onboard()
        assert "enrolled" == self.dial(f"*55*{self.world.issue_otp(self.mac, tenant)}")[0]
        return self

    def settle(self) -> Phone:
        """Fetches and registers as last configured."""
        self.fetch()
        self.register()
        return self

    def show_code(self) -> str:
        """The pairing code on its screen after *Sign in*."""
        return code_on(self.screen("sign-in"))

    def sign_in(self, upn: str = ANNA, tenant: str = TENANT) -> Phone:
        """Its user pairs it on the web; the phone follows."""
        done = self.world.browser().sign_in(upn, tenant).pair(self.show_code())
        assert 200 == done.status
        return self.settle()


@dataclass
class Browser:
    """A person's browser with its cookies."""

    world: World
    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    form_token: str = ""

    def send(self, method: str, path: str, form: Mapping[str, str] | None = None, **headers: str) -> Answer:
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        sent["Content-Type"] = "application/x-www-form-urlencoded"
        answer = self.world.request(method, path, address=self.address, headers=sent, body=urlencode(form or {}))
        found = re.match(r"([^=]+)=([^;]*)", answer.headers.get("set-cookie", ""))
        if found:
            self.cookies[found.group(1)] = found.group(2)
        shown = re.search(r'name="form_token" value="([^"]+)"', answer.text)
        self.form_token = shown.group(1) if shown else self.form_token
        return answer

    def open(self, path: str = "/pair", **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def begin(self) -> str:
        """Goes to the identity provider; the state it was sent there with."""
        place = self.open("/pair/sign-in").headers["location"]
        return parse_qs(urlsplit(place).query)["state"][0]

    def come_back(self, state: str, upn: str = ANNA, tenant: str = TENANT) -> Answer:
        return self.open(f"/auth/callback?{urlencode({'code': f'{tenant} {upn}', 'state': state})}")

    def sign_in(self, upn: str = ANNA, tenant: str = TENANT) -> Browser:
        self.come_back(self.begin(), upn, tenant)
        self.open()
        return self

    def type_code(self, code: str) -> Answer:
        return self.send("POST", "/pair/code", {"form_token": self.form_token, "code": code})

    def confirm(self, answer: str = "yes") -> Answer:
        return self.send("POST", "/pair/confirm", {"form_token": self.form_token, "answer": answer})

    def pair(self, code: str) -> Answer:
        """Types the code and confirms."""
        self.type_code(code)
        return self.confirm()


def settings_in(text: str) -> dict[str, str]:
    """The settings of a Yealink file."""
    pairs = (line.split(" = ", 1) for line in text.splitlines() if " = " in line and not line.startswith("#"))
    return {name: value.strip() for name, value in pairs}


def code_on(screen: Answer) -> str:
    """The pairing code that a screen shows, empty for none."""
    found = re.search(r"\b[B-Z]{4}-[B-Z]{4}\b", screen.text)
    return found.group(0) if found else ""
