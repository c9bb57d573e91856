"""The image's root, run as a container would: its own code, read-only, user 10001, the entry point as process 1.

`make image-test` builds it and sets EDGE_ROOT; without it these tests are skipped.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.sip.certificates import issue_certificate
from tests.sip.edge import IN_ROOT
from tests.sip.functions_server import EDGE_CREDENTIAL, FunctionsServer
from tests.sip.phone import REALM, Account, Phone
from tests.sip.waiting import wait_until

pytestmark = [
    pytest.mark.sip,
    pytest.mark.skipif(not os.environ.get("EDGE_ROOT"), reason="EDGE_ROOT names no unpacked image; see make image-test"),
]
ROOT = Path(os.environ.get("EDGE_ROOT", "/nonexistent")).resolve()
START_SECONDS = 90.0


class Container:
    """The image's entry point as process 1 of its own namespace, with only what an operator sets."""

    def __init__(self, folder: Path, functions: FunctionsServer) -> None:
        self.port = free_port()
        self._folder = folder
        self._settings = {
            "EDGE_ID": "image",
            "EDGE_SIP_HOST": REALM,
            "EDGE_TLS_PORT": str(self.port),
            "EDGE_TLS_CERTIFICATE": str(folder / "certificate.pem"),
            "EDGE_TLS_KEY": str(folder / "key.pem"),
            "EDGE_TRUST_ANCHOR": str(folder / "certificate.pem"),
            "EDGE_FUNCTIONS_URL": functions.url,
            "EDGE_CREDENTIAL": EDGE_CREDENTIAL,
            "EDGE_EVAPI": f"127.0.0.1:{free_port()}",
            "EDGE_METRICS": f"127.0.0.1:{free_port()}",
            "EDGE_MEDIA_CONTROL": f"127.0.0.1:{free_port()}",
            "EDGE_ANNOUNCER": f"127.0.0.1:{free_port()}",
            "EDGE_LISTEN": "127.0.0.1",
            "EDGE_RUN_DIRECTORY": "/run/sip-edge",
            "EDGE_OUTBOX": "/var/lib/sip-edge/outbox.db",
            "EDGE_SHARED_MEMORY_MB": "64",
            "PYTHONUNBUFFERED": "1",
        }
        with (folder / "log").open("wb") as log:
            self._unshare = subprocess.Popen(  # noqa: S603 - our own command line
                [
                    "/usr/bin/unshare",
                    "--pid",
                    "--fork",
                    "--kill-child",
                    str(IN_ROOT),
                    str(ROOT),
                    str(folder),
                    "--",
                    "sip_edge/entrypoint.sh",
                ],
                env={**self._settings, "PATH": os.environ["PATH"]},
                stdout=log,
                stderr=log,
            )

    def await_start(self) -> None:
        """Until the agent and Kamailio know of each other."""
        wait_until(
            lambda: '"link_up"' in self.log() or self._unshare.poll() is not None, seconds=START_SECONDS, describe=self.log
        )
        assert self._unshare.poll() is None, self.log()

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def _init(self) -> int:
        """Process 1 of the container, as this machine numbers it."""
        task = Path(f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children")
        return int(task.read_text().split()[0])

    def check_health(self) -> tuple[int, str]:
        """The image's HEALTHCHECK, in its root beside it."""
        done = subprocess.run(  # noqa: S603 - our own command line
            [str(IN_ROOT), str(ROOT), "--", "python3", "-m", "sip_edge.agent.health"],
            env={**self._settings, "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def processes(self) -> list[int]:
        """Every process in the container, process 1 first, as this machine numbers them."""
        return _with_descendants(self._init())

    def stop(self) -> int:
        """SIGTERM to process 1, as a container engine does; its exit status."""
        os.kill(self._init(), signal.SIGTERM)
        return self._unshare.wait(timeout=30)

    def close(self) -> None:
        if self._unshare.poll() is None:
            self._unshare.kill()  # with it the kernel ends the namespace
            self._unshare.wait()


@pytest.fixture
def functions(tmp_path: Path) -> Iterator[FunctionsServer]:
    server = FunctionsServer(*issue_certificate(tmp_path))
    yield server
    server.close()


@pytest.fixture
def container(tmp_path: Path, functions: FunctionsServer) -> Iterator[Container]:
    container = Container(tmp_path, functions)
    try:
        container.await_start()
        yield container
    finally:
        container.close()


@pytest.fixture
def phone(container: Container, functions: FunctionsServer) -> Iterator[Phone]:
    with Phone(functions.add(Account("kq7x1w.3", "device1")), container.port) as phone:
        yield phone


def test_a_phone_registers_over_tls_and_the_functions_hear_of_it(phone: Phone, functions: FunctionsServer) -> None:
    assert 200 == phone.register().status
    assert wait_until(lambda: functions.events_of(phone.account.username))


def test_the_health_check_says_healthy(container: Container) -> None:
    assert (0, '{"status": "ok"}\n') == container.check_health()


def test_nothing_runs_as_root(container: Container) -> None:
    assert {10001} == {Path(f"/proc/{process}").stat().st_uid for process in container.processes()}


def test_sigterm_stops_it_gracefully_and_delivers_what_it_knows(
    container: Container, phone: Phone, functions: FunctionsServer
) -> None:
    phone.register()
    wait_until(lambda: functions.events_of(phone.account.username))

    assert 0 == container.stop()
    assert '"agent_stopped"' in container.log()


def test_an_agent_that_was_killed_comes_back_and_phones_stay_connected(container: Container, phone: Phone) -> None:
    phone.register()
    agents = [process for process in container.processes() if b"sip_edge.agent\0" in _command(process)]
    os.kill(agents[0], signal.SIGKILL)
    wait_until(lambda: container.log().count('"link_up"') == 2, seconds=START_SECONDS)

    assert 200 == phone.register().status


def test_the_end_of_kamailio_is_the_end_of_the_container(container: Container) -> None:
    kamailio = [process for process in container.processes() if _command(process).startswith(b"kamailio\0")]
    os.kill(kamailio[0], signal.SIGKILL)

    assert 0 != container._unshare.wait(timeout=30)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("EDGE_TLS_CERTIFICATE", "/nowhere.pem", "/nowhere.pem cannot be read"),
        ("EDGE_PIKE_DENSITY", "70000", "EDGE_PIKE_DENSITY"),
    ],
)
def test_a_wrong_setting_is_named(variable: str, value: str, expected: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own command line
        [str(IN_ROOT), str(ROOT), "--", "python3", "-m", "sip_edge.agent.kamailio"],
        env={"PATH": os.environ["PATH"], "EDGE_RUN_DIRECTORY": "/run/sip-edge", variable: value},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 2 == done.returncode
    assert expected in done.stderr


def test_without_its_public_address_an_edge_does_not_start() -> None:
    """In a task of the cloud; calls would be without sound."""
    done = subprocess.run(  # noqa: S603 - our own command line
        ["/usr/bin/unshare", "--net", str(IN_ROOT), str(ROOT), "--", "sip_edge/entrypoint.sh"],
        env={"PATH": os.environ["PATH"], "EDGE_ID": "edge-1", "ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, False) == (done.returncode, "bad_setting" in done.stderr)


def _with_descendants(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(found for child in children for found in _with_descendants(int(child)))]


def _command(process: int) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()
