"""The virtual phone against a real Kamailio and a real HTTPS server with hand-written Yealink files."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local.certificates import prepare_certificates
from local.virtual_phone.errors import NotSeenError, ProvisioningError, SipError
from local.virtual_phone.phone import Reaction, VirtualPhone
from local.virtual_phone.provisioning import DeviceIdentity
from local.virtual_phone.sip_client import CallOutcome, SipClient

pytestmark = [pytest.mark.life, pytest.mark.in_namespace]

KAMAILIO_CFG = Path(__file__).parent / "virtual_phone" / "kamailio.cfg"
MAC = "805ec0123456"
OTHER_MAC, OTHER_NUMBER = "805ec0654321", "+4930654321"
TOKEN = "pX3kq9Zr7Lw2Vb8Nt4Hc6Jd1Fg5Ys0Ma_Qe-UiOoPlKj"

STAGE_1 = """#!version:1.0.0.1
static.auto_provision.server.url = https://localhost:8443/d/{token}/lang_en/
static.auto_provision.dhcp_option.enable = 0
static.trusted_certificates.url = https://localhost:8443/ca.pem
"""
ACCOUNT = """#!version:1.0.0.1
sip.notify_reboot_enable = 0
lang.gui = English
account.1.enable = 1
account.1.label = {label}
account.1.display_name = {label}
account.1.user_name = {user}
account.1.auth_name = {auth}
account.1.password = {password}
account.1.srtp_encryption = 1
account.1.sip_server.1.address = localhost
account.1.sip_server.1.port = 5061
account.1.sip_server.1.transport_type = 2
account.1.sip_server.1.expires = 120
programablekey.1.type = 27
programablekey.1.label = {key}
programablekey.1.value = https://localhost:8443/d/{token}/lang_en/ui/{page}
"""
SIGN_IN = """<?xml version="1.0" encoding="UTF-8"?>
<YealinkIPPhoneTextScreen Beep="no" Timeout="0"><Title>Sign in</Title><Text>Go to https://localhost/pair&#10;BCDF-GHJK</Text>
<SoftKey index="1"><Label>Back</Label><URI>SoftKey:Exit</URI></SoftKey>
<SoftKey index="4"><Label>Refresh</Label><URI>https://localhost:8443/d/{token}/lang_en/ui/sign-in</URI></SoftKey>
</YealinkIPPhoneTextScreen>"""


def onboarding() -> str:
    return ACCOUNT.format(
        label="Lobby", user=MAC, auth="auth-onboarding", password="first-secret", key="Sign in", page="sign-in", token=TOKEN
    )


def signed_in(number: str) -> str:
    return ACCOUNT.format(
        label="Ada", user=number, auth="auth-user", password="second=secret;#1", key="Sign out", page="sign-out", token=TOKEN
    )


@dataclass
class FileServer:
    """Serves `files` by path and keeps what was asked: path, status, User-Agent."""

    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, int, str]] = field(default_factory=list)

    def put(self, path: str, text: str, content_type: str = "text/plain") -> None:
        self.files[path] = (content_type, text.encode())

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                content_type, content = server.files.get(self.path, ("text/plain", b""))
                etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
                status = 404 if self.path not in server.files else 304 if self.headers.get("If-None-Match") == etag else 200
                server.asked.append((self.path, status, self.headers["User-Agent"]))
                self.send_response(status)
                body = content if status == 200 else b""
                headers = {"Content-Length": str(len(body))} | (
                    {} if status == 404 else {"Content-Type": content_type, "ETag": etag}
                )
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing: the tests look at `asked`."""

        return Handler


@dataclass(frozen=True)
class World:
    server: FileServer
    trust: Path
    folder: Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    prepare_certificates(tmp_path, "localhost", datetime.now(UTC))
    server = FileServer()
    server.put("/ca.pem", (tmp_path / "ca.pem").read_text())
    for mac, file in ((MAC, onboarding()), (OTHER_MAC, signed_in(OTHER_NUMBER))):
        server.put(f"/{mac}.cfg", STAGE_1.format(token=TOKEN))
        server.put(f"/d/{TOKEN}/lang_en/{mac}.cfg", file)
    server.put(f"/d/{TOKEN}/lang_en/ui/sign-in", SIGN_IN.format(token=TOKEN), "text/xml")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    with ThreadingHTTPServer(("127.0.0.1", 8443), server.handler()) as https:
        https.socket = context.wrap_socket(https.socket, server_side=True)
        thread = threading.Thread(target=https.serve_forever)
        thread.start()
        kamailio = start_kamailio(tmp_path)
        try:
            yield World(server, tmp_path / "ca.pem", tmp_path)
        finally:
            stop(kamailio)
            https.shutdown()
            thread.join()


def start_kamailio(folder: Path) -> subprocess.Popen[bytes]:
    shutil.copy(KAMAILIO_CFG, folder)
    options = ["-DD", "-E", "-f", "kamailio.cfg", "-w", str(folder), "-Y", str(folder), "-P", str(folder / "pid")]
    with (folder / "kamailio.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - a fixed program and our own paths
            ["/usr/sbin/kamailio", *options], cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", 5061), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return process
    raise AssertionError((folder / "kamailio.log").read_text()[-2000:])


def stop(kamailio: subprocess.Popen[bytes]) -> None:
    kamailio.terminate()
    try:
        kamailio.wait(timeout=3)
    except subprocess.TimeoutExpired:  # 5.6.3 can miss a SIGTERM that comes while it starts its workers
        os.killpg(kamailio.pid, signal.SIGKILL)
        kamailio.wait(timeout=3)


def phone_in(world: World, mac: str = MAC) -> VirtualPhone:
    return VirtualPhone(DeviceIdentity(mac), dhcp_url="https://localhost:8443/", factory_trust=world.trust)


def test_a_factory_fresh_phone_finds_its_way_to_a_registration_over_tls(world: World) -> None:
    with phone_in(world) as phone:
        phone.factory_reset()
        phone.power_on()

        base = f"/d/{TOKEN}/lang_en/"
        order = [f"{MAC}.boot", "y000000000000.boot", "y000000000066.cfg", f"{MAC}.cfg"]
        expected = [*(f"/{name}" for name in order), "/ca.pem", *(base + name for name in order), "/ca.pem"]
        assert expected == [path for path, _, _ in world.server.asked]
        expected_agents = {"Yealink SIP-T46S 66.86.0.15 80:5e:c0:12:34:56"}
        assert expected_agents == {agent for _, _, agent in world.server.asked}
        register = next(m for m in phone.sip.messages if m.method == "REGISTER")
        expected_register = ("TLS", "Yealink SIP-T46S 66.86.0.15", "120")
        assert expected_register == (register.transport, register.header("User-Agent"), register.header("Expires"))


def test_a_dialled_feature_code_and_check_sync_lead_to_the_new_account(world: World) -> None:
    with phone_in(world) as phone:
        phone.power_on()

        outcome = phone.dial("*55*123456")
        world.server.put(f"/d/{TOKEN}/lang_en/{MAC}.cfg", signed_in("4930123"))
        reaction = phone.await_notify()

        expected = (CallOutcome(480, "Enrolled", 'SIP;cause=480;text="Enrolled"'), Reaction.REREGISTERED)
        assert expected == (outcome, reaction)
        expected_after = ("sip:4930123@localhost", ["Sign out"])
        assert expected_after == (phone.sip.account.aor, [key.label for key in phone.device_settings.screen_keys])
        assert any("check-sync;reboot=false answered 200" in sighting.text for sighting in phone.sightings)


def test_an_unchanged_file_is_answered_304_and_leaves_the_registration_alone(world: World) -> None:
    with phone_in(world) as phone:
        phone.power_on()
        before = phone.sip.process_id
        world.server.asked.clear()
        phone.dial("*55*123456")

        expected = (Reaction.REFETCHED, before)
        assert expected == (phone.await_notify(), phone.sip.process_id)
        expected_statuses = [404, 404, 404, 304, 304]
        assert expected_statuses == [status for _, status, _ in world.server.asked]


def test_check_sync_with_reboot_restarts_the_phone_at_its_own_url(world: World) -> None:
    with phone_in(world) as phone:
        phone.power_on()
        before = phone.sip.process_id
        world.server.asked.clear()
        phone.dial("*57*")

        expected = Reaction.RESTARTED
        assert expected == phone.await_notify()
        assert before != phone.sip.process_id
        expected_path = f"/d/{TOKEN}/lang_en/{MAC}.boot"
        assert expected_path == world.server.asked[0][0]


def test_keys_open_screens_and_lead_back(world: World) -> None:
    with phone_in(world) as phone:
        phone.power_on()

        screen = phone.press("Sign in")
        expected = "Go to https://localhost/pair\nBCDF-GHJK"
        assert screen is not None
        assert expected == screen.text
        assert screen == phone.press("Refresh")
        assert phone.press("Back") is None


def test_two_phones_call_each_other(world: World) -> None:
    with phone_in(world) as caller, phone_in(world, OTHER_MAC) as callee, ThreadPoolExecutor(1) as others:
        caller.power_on()
        callee.power_on()
        taken = others.submit(callee.take_call)
        outcome = caller.dial(OTHER_NUMBER)

        expected = (200, True)
        assert expected == (outcome.status, 180 in outcome.provisional)
        assert f"<sip:{MAC}@localhost>" in taken.result(timeout=10)
        caller.hang_up()
        callee.sip.wait_for_hang_up()


def test_nothing_is_left_behind_and_no_secret_is_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(world.folder))
    with phone_in(world) as phone:
        phone.power_on()
        phone.dial("*55*123456")
        process = phone.sip.process_id
        shown = "\n".join(map(str, phone.sightings)) + repr(phone.device_settings.account) + repr(phone.sip.messages)
        expected_folders = 2
        assert expected_folders == len(list(world.folder.glob("virtual-phone-*")))

    assert not Path(f"/proc/{process}").exists()
    assert not list(world.folder.glob("virtual-phone-*"))
    assert "first-secret" not in shown
    assert TOKEN not in shown


def test_a_power_cut_tells_nobody_and_the_next_boot_finds_the_stored_url(world: World) -> None:
    with phone_in(world) as phone:
        phone.power_on()
        phone.cut_power()
        world.server.asked.clear()
        phone.power_on()

        expected = {f"/d/{TOKEN}/lang_en", ""}
        assert expected == {path.rpartition("/")[0] for path, _, _ in world.server.asked}


def test_a_wrong_password_is_told_as_the_registrar_told_it(world: World) -> None:
    world.server.put(f"/d/{TOKEN}/lang_en/{MAC}.cfg", onboarding().replace("first-secret", "wrong"))
    with phone_in(world) as phone, pytest.raises(SipError, match="refused sip:805ec0123456@localhost: 401 Unauthorized"):
        phone.power_on()


def test_a_sip_server_that_another_authority_signed_is_not_trusted(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    prepare_certificates(other := tmp_path_factory.mktemp("other"), "localhost", datetime.now(UTC))
    with phone_in(world) as phone:
        phone.power_on()
        account = phone.sip.account

    client = SipClient(account, user_agent="Yealink SIP-T46S 66.86.0.15", trust_anchor=other / "ca.pem")
    with client, pytest.raises(NotSeenError, match=r"no SIP message was seen; trouble: .*(X509|Cannot connect)"):
        client.registered(timeout_seconds=3)


def test_an_https_server_that_another_authority_signed_is_not_trusted(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    prepare_certificates(other := tmp_path_factory.mktemp("other"), "localhost", datetime.now(UTC))
    phone = VirtualPhone(DeviceIdentity(MAC), dhcp_url="https://localhost:8443/", factory_trust=other / "ca.pem")
    with phone, pytest.raises(ProvisioningError, match="CERTIFICATE_VERIFY_FAILED"):
        phone.power_on()
    assert not world.server.asked
