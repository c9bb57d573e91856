"""Settings from the environment, and the command line that Kamailio is started with."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from sip_edge.agent.kamailio import kamailio_command, kamailio_environment, prepare_kamailio
from sip_edge.agent.settings import AgentSettings, BadSetting, KamailioSettings
from tests.ports import free_port
from tests.sip.waiting import GENEROUS_SECONDS

AGENT = {"EDGE_ID": "e1", "EDGE_FUNCTIONS_URL": "https://gateway.example", "EDGE_CREDENTIAL": "c"}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"EDGE_ID": ""}, "EDGE_ID"),
        ({"EDGE_FUNCTIONS_URL": "http://gateway.example"}, "EDGE_FUNCTIONS_URL"),
        ({"EDGE_CREDENTIAL": ""}, "EDGE_CREDENTIAL"),
        ({"EDGE_COMMANDS": "tcp:1"}, "EDGE_COMMANDS"),
        ({"EDGE_EVAPI": "8448:"}, "EDGE_EVAPI"),
        ({"EDGE_OUTBOX_LIMIT": "many"}, "EDGE_OUTBOX_LIMIT"),
        ({"EDGE_REPORT_LINGER_SECONDS": "61"}, "EDGE_REPORT_LINGER_SECONDS"),
        ({"EDGE_FUNCTIONS_URL": "http://localhost.gateway.example"}, "EDGE_FUNCTIONS_URL"),
        ({"EDGE_FUNCTIONS_URL": "https://gateway.example:https"}, "EDGE_FUNCTIONS_URL"),
        ({"EDGE_METRICS": "127.0.0.1:99999"}, "EDGE_METRICS"),
        ({"EDGE_COMMANDS": "sns:commands"}, "EDGE_COMMANDS"),
        ({"EDGE_OUTBOX_LIMIT": "0"}, "EDGE_OUTBOX_LIMIT"),
        ({"EDGE_HEARTBEAT_SECONDS": "0"}, "EDGE_HEARTBEAT_SECONDS"),
    ],
)
def test_a_wrong_setting_is_named(changed: dict[str, str], named: str) -> None:
    with pytest.raises(BadSetting, match=named):
        AgentSettings.from_environment({**AGENT, **changed})


@pytest.mark.parametrize("content", ["", "{}", '{"edge_credentials": []}', "[]"])
def test_a_credential_file_without_a_credential_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secrets.json"
    file.write_text(content)
    settings = AgentSettings.from_environment({**AGENT, "EDGE_CREDENTIAL_FILE": str(file)})

    with pytest.raises(BadSetting, match="EDGE_CREDENTIAL_FILE"):
        settings.load_credential()


def test_the_first_credential_of_the_file_is_used(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text('{"edge_credentials": ["first", "second"], "other": 1}')
    settings = AgentSettings.from_environment({**AGENT, "EDGE_CREDENTIAL": "", "EDGE_CREDENTIAL_FILE": str(file)})

    assert "first" == settings.load_credential()


def test_a_secret_that_does_not_come_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the agent's few threads that waits for it for minutes is missing for the health check."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:edge"
    settings = AgentSettings.from_environment({**AGENT, "EDGE_CREDENTIAL": "", "EDGE_CREDENTIAL_SECRET": arn})
    problems: list[str] = []

    def load() -> None:
        try:
            settings.load_credential()
        except BadSetting as problem:
            problems.append(str(problem))

    with socket.create_server(("127.0.0.1", free_port())) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        loading = threading.Thread(target=load, daemon=True)
        loading.start()
        loading.join(GENEROUS_SECONDS)
    assert ["EDGE_CREDENTIAL_SECRET cannot be used: OSError"] == problems


@pytest.mark.parametrize(
    "changed", [{"EDGE_EXPIRES_MIN": "200"}, {"EDGE_DIGEST_ALGORITHM": "MD4"}, {"EDGE_PIKE_DENSITY": "65536"}]
)
def test_kamailio_is_not_started_with_what_it_would_misread(changed: dict[str, str]) -> None:
    with pytest.raises(BadSetting, match=next(iter(changed))[:12]):
        KamailioSettings.from_environment(changed)


def test_every_address_gets_its_own_listener_and_every_path_is_absolute() -> None:
    settings = KamailioSettings.from_environment({"EDGE_LISTEN": "127.0.0.1, 10.0.0.5", "EDGE_RUN_DIRECTORY": "run"})
    command = kamailio_command(settings)

    assert ["-ltls:127.0.0.1:5061", "-ltls:10.0.0.5:5061"] == [word for word in command if word.startswith("-ltls")]
    assert (
        str(Path("run").resolve()) == kamailio_environment(settings)["EDGE_RUN_DIRECTORY"] == command[command.index("-w") + 1]
    )


def test_a_certificate_that_cannot_be_read_is_named_before_kamailio_starts(tmp_path: Path) -> None:
    settings = KamailioSettings(run_directory=str(tmp_path / "run"), tls_certificate="/nowhere.pem")

    with pytest.raises(BadSetting, match=r"/nowhere\.pem"):
        prepare_kamailio(settings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("EDGE_EXPIRES_MAX", "301"),
        ("EDGE_REPORT_SECONDS", "0"),
        ("EDGE_DEVICE_DENSITY", "0"),
        ("EDGE_CALL_DENSITY", "0"),
        ("EDGE_STRANGER_SECONDS", "0"),
        ("EDGE_MAX_CONNECTIONS", "-1"),
        ("EDGE_CONNECTIONS_PER_ADDRESS", "0"),
        ("EDGE_TLS_CIPHERS", "NO-SUCH"),
    ],
)
def test_a_limit_that_cannot_be_is_named(variable: str, value: str) -> None:
    with pytest.raises(BadSetting, match=variable):
        KamailioSettings.from_environment({variable: value})
