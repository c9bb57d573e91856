"""One edge for the scenarios of a test process, and real clients that register there."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from sip_edge.announcements.__main__ import make_announcements
from tests.ports import free_port
from tests.scenarios.baresip import Baresip, phone_account
from tests.scenarios.clients import HOST, Client, Line, Room
from tests.scenarios.linphone import Linphone
from tests.scenarios.rtpengine import Flow, Side, sides_of
from tests.scenarios.trunk import Carrier, Trunk, free_port_pair
from tests.sip.certificates import EDGE_NAMES, issue_certificate
from tests.sip.edge import REPOSITORY, Edge
from tests.sip.functions_server import Behaviour, FunctionsServer
from tests.sip.phone import Account

ClientT = TypeVar("ClientT", bound=Client)

TONES = (440, 620, 880, 1040)  # Hz; none is a multiple of another, or of the music's 1500
HALF_A_SECOND = 25  # packets
_names = itertools.count(1)


@dataclass
class Gateway:
    """The edge with its functions, and the clients of one test. Every client has a tone of its own."""

    edge: Edge
    functions: FunctionsServer
    trunk: Trunk
    announcements: Path
    tones: Path
    folder: Path = Path()
    clients: list[Client] = field(default_factory=list)

    def line(self, **more: Any) -> Line:
        """Of a new user of the tenant `t`; anything of Credentials may be given."""
        number = next(_names)
        e164 = more.pop("number", f"+4989{number:07}")
        account = Account(username=f"sq7x{number}w.{number}", aor=e164, password=f"secret-{number}")
        values = {"tenant_id": "t", "may_call": True, "number": e164, "user": f"user{number}@example.com"}
        self.functions.add(account, domain=HOST, **{"display_name": f"User {number}", **values, **more})
        return Line(account, self.edge.port, self.trunk.certificate[0])

    def another_line(self, line: Line) -> Line:
        """A second phone of the same user."""
        known = self.functions.behaviour.credentials[line.account.username]
        return self.line(number=line.number, user=known.user, display_name=known.display_name)

    def linphone(self, line: Line | None = None, **more: Any) -> Linphone:
        """Registered, for a line of its own where none is given."""
        return self._start(Linphone(line or self.line(), self._room(), **more)).is_registered()

    def baresip(self, line: Line | None = None) -> Baresip:
        """Registered, for a line of its own where none is given."""
        line = line or self.line()
        return self._start(Baresip(phone_account(line), line.trust_anchor, self._room())).is_registered()

    def carrier(self, number: str) -> Carrier:
        """The trunk's peer, as that number."""
        return self._start(Carrier(number, self._room(), trunk=self.trunk))

    def media_of(self, client: Client) -> list[Flow]:
        """Of every side of the client's latest call from which rtpengine has counted half a second of audio."""
        return [side.flow for side in self._sides(client).values() if side.packets >= HALF_A_SECOND]

    def packets_from(self, client: Client) -> int:
        """How many rtpengine has had from the client in its latest call."""
        return self._sides(client)[client.tag()].packets

    def goes_silent(self, client: Client) -> bool:
        """Waits until rtpengine gets nothing from the client for a second."""

        def nothing_came() -> bool:
            before = self.packets_from(client)
            time.sleep(1)
            return before == self.packets_from(client)

        return client.wait_for(nothing_came, "a second without a packet from it")

    def _sides(self, client: Client) -> dict[str, Side]:
        return sides_of(self.edge.environment["EDGE_MEDIA_CONTROL"], client.call_id())

    def _start(self, client: ClientT) -> ClientT:
        self.clients.append(client)
        return client.start()

    def _room(self) -> Room:
        number = len(self.clients)
        return Room(self.folder / f"client-{number + 1}", TONES[number], self.tones)


@pytest.fixture(scope="session")
def made_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    # linphone compares the server's name as a text; an address that is not among the names is a stranger's to it.
    certificate = issue_certificate(tmp_path_factory.mktemp("certificate"), names=f"{EDGE_NAMES},IP:{HOST},DNS:{HOST}")
    announcements = tmp_path_factory.mktemp("announcements")
    shutil.copytree(REPOSITORY / "sip_edge" / "announcements" / "wav", announcements, dirs_exist_ok=True)
    make_announcements(announcements)
    trunk = Trunk(free_port_pair(), free_port(), certificate)
    functions = FunctionsServer(*certificate)
    settings = {"EDGE_SIP_HOST": HOST, "EDGE_LISTEN": HOST, "EDGE_ANNOUNCEMENTS": str(announcements), **trunk.settings}
    edge = Edge(tmp_path_factory.mktemp("edge"), *certificate, functions, settings)
    try:
        yield Gateway(edge.start_rtpengine().start(), functions, trunk, announcements, tmp_path_factory.mktemp("tones"))
    finally:
        edge.close()
        functions.close()


@pytest.fixture
def gateway(made_gateway: Gateway, tmp_path: Path) -> Iterator[Gateway]:
    """Its clients are stopped after the test."""
    made_gateway.functions.behaviour = Behaviour()
    made_gateway.folder, made_gateway.clients = tmp_path, []
    yield made_gateway
    for client in made_gateway.clients:
        client.stop()
