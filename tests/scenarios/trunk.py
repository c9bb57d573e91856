"""The trunk's other end: a baresip that is a TLS server, with a certificate of its own.

It knows nobody whom OPTIONS without a user could be for, and would be taken for dead: here the edge does not ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port
from tests.scenarios.baresip import Baresip
from tests.scenarios.clients import HOST, Room


def free_port_pair() -> int:
    """The first of two free ports that follow each other: baresip listens for TLS on the second."""
    first = free_port()
    while (second := free_port()) != first + 1:
        first = second
    return first


@dataclass(frozen=True)
class Trunk:
    """Both ends' ports, and the certificate that both have."""

    carrier_port: int
    edge_port: int
    certificate: tuple[Path, Path]

    @property
    def settings(self) -> dict[str, str]:
        """The edge's."""
        return {
            "EDGE_TRUNK_PEERS": f"127.0.0.1:{self.carrier_port + 1}",
            "EDGE_TRUNK_NETWORKS": "127.0.0.0/8",
            "EDGE_TRUNK_PORT": str(self.edge_port),
            "EDGE_TRUNK_AUTHORITY": str(self.certificate[0]),
            "EDGE_TRUNK_MEDIA": "rtp",
            "EDGE_TRUNK_PROBE_SECONDS": "86400",
        }

    @property
    def server(self) -> str:
        return f"sip:{HOST}:{self.edge_port};transport=tls"


class Carrier(Baresip):
    """Reached at the TLS port `port` + 1, for one number of the public network."""

    def __init__(self, number: str, room: Room, *, trunk: Trunk) -> None:
        pem, key = trunk.certificate
        both = room.folder.with_suffix(".pem")
        both.write_text(pem.read_text() + key.read_text())
        self.port, self.certificate = trunk.carrier_port, f"sip_certificate {both}"
        account = f'<sip:{number}@127.0.0.1>;regint=0;outbound="{trunk.server}";audio_codecs=pcmu'
        super().__init__(account, pem, room)
