import pytest

from tests.unit.cli.conftest import Sipgw
from tests.unit.cli.fake_gateway import FakeGateway

PATH = "/v1/users/ada%40example.org"


def test_call_settings_are_shown_where_nothing_is_to_change(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"GET {PATH}/call-settings", {"do_not_disturb": True, "forward_to": None, "ring_seconds": 20})
    outcome = sipgw("users", "calls", "ada@example.org")
    assert (["do", "not", "disturb", "yes"], ["forward", "to", "-"]) == (outcome.row("do"), outcome.row("forward"))


def test_the_named_settings_change_and_an_empty_text_takes_one_away(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"PUT {PATH}/call-settings", {"do_not_disturb": False})
    sipgw("users", "calls", "ada@example.org", "--disturb", "--forward-to", "", "--ring-seconds", "30")
    assert {"do_not_disturb": False, "forward_to": "", "ring_seconds": 30} == gateway.seen[0].json


@pytest.mark.parametrize(
    ("options", "body"), [(["--new", "2"], {"new": 2}), (["--new", "0", "--old", "3"], {"new": 0, "old": 3})]
)
def test_messages_are_set_as_a_voicemail_system_does(
    gateway: FakeGateway, sipgw: Sipgw, options: list[str], body: dict[str, int]
) -> None:
    gateway.lay(f"PUT {PATH}/message-waiting", body)
    assert body == sipgw("users", "messages", "ada@example.org", *options, "--json").json
    assert body == gateway.seen[0].json


def test_messages_are_shown_where_none_are_told(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay(f"GET {PATH}/message-waiting", {"new": 1, "old": 0})
    assert ["new", "1"] == sipgw("users", "messages", "ada@example.org").row("new")
