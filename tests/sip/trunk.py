"""An edge with a trunk of two peers, for tests of calls to and from the public network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chalicelib.contracts.edge import Route, RouteOutcome
from tests.ports import free_port
from tests.sip.edge import Edge
from tests.sip.functions_server import Behaviour, FunctionsServer
from tests.sip.peer import Peer

OUTSIDE = "+4930123456"


@dataclass
class Trunk:
    """The first peer is the preferred one. `port` is where the edge takes calls from them."""

    edge: Edge
    functions: FunctionsServer
    peers: list[Peer]
    port: int

    def renewed(self) -> Trunk:
        """For the next test: its peers are taken for alive, and the functions behave."""
        for peer in self.peers:
            peer.catch_up()
        self.functions.behaviour = outside_is_known()
        return self


def outside_is_known() -> Behaviour:
    """Functions that send a call for OUTSIDE to the trunk."""
    return Behaviour(routes={OUTSIDE: Route(RouteOutcome.TRUNK, number=OUTSIDE)})


def trunk_settings(certificate: tuple[Path, Path], port: int, peers: list[Peer], **more: str) -> dict[str, str]:
    """What an edge needs to know of its peers."""
    return {
        "EDGE_TRUNK_PEERS": ",".join(f"127.0.0.1:{peer.listening}" for peer in peers),
        "EDGE_TRUNK_NETWORKS": "127.0.0.0/8",
        "EDGE_TRUNK_NAME": "trunk.edge.test",
        "EDGE_TRUNK_PORT": str(port),
        "EDGE_TRUNK_AUTHORITY": str(certificate[0]),
        "EDGE_TRUNK_MEDIA": "rtp",
        "EDGE_TRUNK_PROBE_SECONDS": "1",
        **more,
    }


@contextmanager
def start_trunk(folder: Path, certificate: tuple[Path, Path]) -> Iterator[Trunk]:
    """Both peers are known to be alive."""
    functions = FunctionsServer(*certificate)
    peers = [Peer(*certificate), Peer(*certificate)]
    port = free_port()
    edge = Edge(folder, *certificate, functions, trunk_settings(certificate, port, peers))
    try:
        edge.start_rtpengine().start()
        for peer in peers:
            peer.accept()
            peer.wait_for_options()
        yield Trunk(edge, functions, peers, port)
    finally:
        for peer in peers:
            peer.close()
        edge.close()
        functions.close()
