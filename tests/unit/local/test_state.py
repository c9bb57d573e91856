"""The state folder and the choices of a start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.options import BadOption, parse_options
from local.state import BadStateFolder, GatewayState, StateInUse


def test_secrets_are_made_once_and_are_private(tmp_path: Path) -> None:
    state = GatewayState(tmp_path / "state")
    state.prepare()
    before = state.secrets.read_text()
    state.prepare()
    assert before == state.secrets.read_text()
    assert 0o600 == state.secrets.stat().st_mode & 0o777


def test_every_secret_is_long_and_its_own(tmp_path: Path) -> None:
    state = GatewayState(tmp_path / "state")
    state.prepare()
    secrets = json.loads(state.secrets.read_text())
    assert {"region_key", "edge_credentials", "entra_client_secret"} == set(secrets)
    values = [secrets["region_key"], secrets["entra_client_secret"], *secrets["edge_credentials"]]
    assert 4 == len(set(values))
    assert all(len(value) >= 43 for value in values)


def test_a_folder_serves_one_gateway_at_a_time(tmp_path: Path) -> None:
    state = GatewayState(tmp_path / "state")
    with state.held(), pytest.raises(StateInUse, match="already runs"), GatewayState(tmp_path / "state").held():
        pass
    with state.held():
        pass


def test_a_new_database_is_seeded_once(tmp_path: Path) -> None:
    state = GatewayState(tmp_path / "state")
    state.prepare()
    assert state.must_be_seeded
    state.database.touch()
    state.record_seeded()
    state.prepare()
    assert not state.must_be_seeded


def test_a_deleted_database_is_seeded_again(tmp_path: Path) -> None:
    state = GatewayState(tmp_path / "state")
    state.prepare()
    state.record_seeded()
    state.prepare()
    assert state.must_be_seeded


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadStateFolder, match="shorter"):
        GatewayState(tmp_path / ("x" * 90)).prepare()


def test_without_choices_the_gateway_serves_loopback() -> None:
    options = parse_options([], {})
    expected = ("127.0.0.1", "https://localhost:8443", "http://127.0.0.1:8001", Path.cwd() / ".gateway")
    assert expected == (options.bind_address, options.public_url, options.sign_in_url, options.state)


def test_host_opens_the_gateway_to_the_network_under_that_name() -> None:
    options = parse_options([], {"HOST": "Gateway.Example", "HTTPS_PORT": "9443"})
    expected = ("0.0.0.0", "https://gateway.example:9443", "http://gateway.example:8001")  # noqa: S104 - what HOST asks for
    assert expected == (options.bind_address, options.public_url, options.sign_in_url)


def test_an_ipv6_host_has_brackets_in_urls_only() -> None:
    options = parse_options(["--host", "2001:db8::7"], {})
    assert ("2001:db8::7", "https://[2001:db8::7]:8443") == (options.host, options.public_url)


def test_a_second_sip_server_is_a_name_with_or_without_its_port() -> None:
    texts = ("", "SIP2.lan", "sip2.lan:5071")
    assert ["", "sip2.lan", "sip2.lan:5071"] == [parse_options([], {"SIP_SECOND": text}).sip_second for text in texts]
    for wrong in ("sips:sip2.lan", "sip2.lan:0", "a b"):
        with pytest.raises(BadOption, match="SIP_SECOND"):
            parse_options([], {"SIP_SECOND": wrong})


def test_host_localhost_is_loopback() -> None:
    assert "127.0.0.1" == parse_options([], {"HOST": "localhost"}).bind_address


def test_the_command_line_beats_the_environment() -> None:
    assert 7001 == parse_options(["--https-port", "7001"], {"HTTPS_PORT": "7002"}).https_port


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"HTTPS_PORT": "x"}, "HTTPS_PORT"),
        ({"SIP_PORT": "70000"}, "SIP_PORT"),
        ({"HTTP_PORT": "8443"}, "HTTP_PORT=8443"),
        ({"HOST": "a b"}, "HOST"),
        ({"HOST": "a", "HOST_CERT": "x.pem"}, "HOST_KEY"),
        ({"HOST_CERT": "x.pem", "HOST_KEY": "x.key"}, "HOST"),
    ],
)
def test_a_wrong_choice_is_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(BadOption, match=named):
        parse_options([], environment)
