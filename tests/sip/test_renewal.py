"""A renewed certificate is served without a restart; one that cannot be used is refused and the old one goes on."""

from __future__ import annotations

import shutil
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sip_edge.agent.control import KamailioRefused, order
from tests.ports import free_port
from tests.sip.certificates import issue_certificate
from tests.sip.edge import Edge
from tests.sip.functions_server import FunctionsServer
from tests.sip.peer import Peer
from tests.sip.phone import Account, Phone
from tests.sip.waiting import wait_until

pytestmark = pytest.mark.sip


@pytest.fixture
def renewable(make_edge: Callable[..., Edge], certificate: tuple[Path, Path], tmp_path: Path) -> Edge:
    """An edge with a certificate of its own, in files that may be replaced."""
    return make_edge(**own_files(certificate, tmp_path)).start()


@pytest.fixture
def trusting(make_edge: Callable[..., Edge], certificate: tuple[Path, Path], tmp_path: Path) -> Edge:
    """The same, and with a trunk whose authority is in a file of its own."""
    authority = shutil.copy(certificate[0], tmp_path / "authority.pem")
    trunk = {
        "EDGE_TRUNK_PEERS": f"127.0.0.1:{free_port()}",
        "EDGE_TRUNK_NETWORKS": "127.0.0.0/8",
        "EDGE_TRUNK_PORT": str(free_port()),
        "EDGE_TRUNK_AUTHORITY": str(authority),
    }
    return make_edge(**own_files(certificate, tmp_path), **trunk).start()


def own_files(certificate: tuple[Path, Path], folder: Path) -> dict[str, str]:
    """Copies of certificate and key, as the settings that name them."""
    return {
        "EDGE_TLS_CERTIFICATE": str(shutil.copy(certificate[0], folder / "certificate.pem")),
        "EDGE_TLS_KEY": str(shutil.copy(certificate[1], folder / "key.pem")),
    }


def served(edge: Edge) -> bytes:
    """The certificate that a new connection is shown."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", edge.port), timeout=10) as plain, context.wrap_socket(plain) as connection:
        return connection.getpeercert(binary_form=True) or b""


def replace(edge: Edge, certificate: Path, key: Path) -> None:
    """As renewals do: the key first, then the certificate, each written in place."""
    Path(edge.environment["EDGE_TLS_KEY"]).write_bytes(key.read_bytes())
    Path(edge.environment["EDGE_TLS_CERTIFICATE"]).write_bytes(certificate.read_bytes())


def test_a_renewed_certificate_is_served_and_phones_stay_connected(
    renewable: Edge, own_functions: FunctionsServer, account: Account, connect: Callable[..., Phone], tmp_path: Path
) -> None:
    own_functions.add(account)
    phone = connect(account, renewable)
    phone.register()
    before = served(renewable)
    renewed = issue_certificate(tmp_path / "renewed")
    replace(renewable, *renewed)

    wait_until(lambda: ssl.PEM_cert_to_DER_cert(renewed[0].read_text()) == served(renewable))
    assert before != served(renewable)
    assert 200 == phone.register().status
    assert 1 == renewable.log("agent").count('"certificate_reloaded"')


def test_a_certificate_that_does_not_go_with_its_key_is_refused(renewable: Edge, tmp_path: Path) -> None:
    before = served(renewable)
    certificate, _ = issue_certificate(tmp_path / "other")
    replace(renewable, certificate, Path(renewable.environment["EDGE_TLS_KEY"]))

    wait_until(lambda: '"certificate_refused"' in renewable.log("agent"))
    assert before == served(renewable)
    assert '"certificate_reloaded"' not in renewable.log("agent")


def test_handshakes_go_on_while_certificates_are_read_again(renewable: Edge) -> None:
    """Kamailio 5.6 died of it within two reloads when any other process than that of the handshakes read them."""
    ended = threading.Event()
    made = [0, 0, 0]

    def shake_hands(place: int) -> None:
        while not ended.is_set():
            served(renewable)
            made[place] += 1

    with ThreadPoolExecutor(len(made)) as others:
        shaking = [others.submit(shake_hands, place) for place in range(len(made))]
        try:
            for _ in range(20):
                before = sum(made)
                order(renewable.environment["EDGE_MEDIA_CONTROL"], "reload")
                wait_until(lambda before=before: sum(made) > before + 10 or any(one.done() for one in shaking))
        finally:
            ended.set()
    assert [None] * len(made) == [one.result() for one in shaking]


def test_what_kamailio_cannot_read_is_refused_with_its_words(trusting: Edge, certificate: tuple[Path, Path]) -> None:
    Path(trusting.environment["EDGE_TRUNK_AUTHORITY"]).unlink()

    with pytest.raises(KamailioRefused) as refused:
        order(trusting.environment["EDGE_MEDIA_CONTROL"], "reload")
    assert "Error while fixing TLS configuration" in str(refused.value)
    assert served(trusting) == ssl.PEM_cert_to_DER_cert(certificate[0].read_text())


def test_what_kamailio_refused_is_offered_again_and_logged_once(
    trusting: Edge, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    authority = Path(trusting.environment["EDGE_TRUNK_AUTHORITY"])
    authority.unlink()
    renewed = issue_certificate(tmp_path / "renewed")
    replace(trusting, *renewed)
    wait_until(lambda: "Error while fixing TLS configuration" in trusting.log("agent"))
    authority.write_bytes(certificate[0].read_bytes())

    wait_until(lambda: ssl.PEM_cert_to_DER_cert(renewed[0].read_text()) == served(trusting))
    assert 1 == trusting.log("agent").count('"certificate_refused"')


def test_after_a_refused_certificate_a_good_one_is_taken(renewable: Edge, tmp_path: Path) -> None:
    Path(renewable.environment["EDGE_TLS_CERTIFICATE"]).write_text("half a fi")
    wait_until(lambda: '"certificate_refused"' in renewable.log("agent"))
    renewed = issue_certificate(tmp_path / "renewed")
    replace(renewable, *renewed)

    wait_until(lambda: ssl.PEM_cert_to_DER_cert(renewed[0].read_text()) == served(renewable))


def test_a_renewal_while_the_agent_was_away_is_not_missed(renewable: Edge, tmp_path: Path) -> None:
    renewable.kill_agent()
    renewed = issue_certificate(tmp_path / "renewed")
    replace(renewable, *renewed)
    renewable.start_agent()

    wait_until(lambda: ssl.PEM_cert_to_DER_cert(renewed[0].read_text()) == served(renewable))


def test_the_trunk_s_own_certificate_is_renewed_like_the_phones(
    make_edge: Callable[..., Edge], certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    first = issue_certificate(tmp_path / "first", names="DNS:trunk.edge.test", common_name="trunk.edge.test")
    renewed = issue_certificate(tmp_path / "second", names="DNS:trunk.edge.test", common_name="trunk.edge.test")
    port, peer = free_port(), Peer(*certificate, trust=first[0])
    edge = make_edge(
        EDGE_TRUNK_PEERS=f"127.0.0.1:{peer.listening}",
        EDGE_TRUNK_NETWORKS="127.0.0.0/8",
        EDGE_TRUNK_PORT=str(port),
        EDGE_TRUNK_AUTHORITY=str(certificate[0]),
        EDGE_TRUNK_CERTIFICATE=str(tmp_path / "first/certificate.pem"),
        EDGE_TRUNK_KEY=str(tmp_path / "first/key.pem"),
    ).start()
    phones = served(edge)
    peer.call_edge(port)
    status = peer.ask_options().status
    for new, old in zip(renewed, first, strict=True):
        shutil.copyfile(new, old)
    wait_until(lambda: '"certificate_reloaded"' in edge.log("agent"))
    with Peer(*certificate, trust=renewed[0]) as other:
        other.call_edge(port)

        assert [200, 200, 200] == [status, peer.ask_options().status, other.ask_options().status]
    assert phones == served(edge)
    peer.close()
