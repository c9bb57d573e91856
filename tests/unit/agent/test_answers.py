"""What Kamailio is told after the functions have answered."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts.edge import CallSettings, Credentials, FeatureCodeVerdict, Ha1
from sip_edge.agent.core.answers import (
    answer_credentials,
    answer_credentials_later,
    answer_verdict,
    answer_verdict_later,
    final_status,
    presentable_reason,
)
from sip_edge.agent.core.messages import CredentialsAnswer, CredentialsWanted, VerdictAnswer, VerdictWanted
from sip_edge.agent.core.records import UnusableCredentials, called_by_credentials, render_called, render_record

WANTED = CredentialsWanted("u.3", ti=1, tl=2)
DIALLED = VerdictWanted("u.3", "*55*123456", ti=1, tl=2)
CREDENTIALS = Credentials(
    ha1=Ha1("a" * 32, "b" * 64),
    aor="user1",
    tenant_id="t",
    may_call=True,
    expires_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    mac="0015651a2b3c",
    language="de",
    display_name="Größe|",
    emergency=True,
    emergency_numbers=("112", "11 2", "110"),
    user="Anna@example.com",
    number="+4989123401",
    voicemail="+4989999",
    location="Lobby & Grün",
    call_settings=CallSettings(do_not_disturb=True, forward_to="+4930", forward_on_timeout_to="a b"),
    emergency_refusal='Press "Sign In"',
)
# The pattern that Kamailio checks a record by (sip_edge/kamailio/agent.cfg).
KAMAILIO = re.compile(
    r"[0-9a-f]{32}\|[0-9a-f]{64}\|(onboarding|user)\|[A-Za-z0-9_.+-]{1,64}\|[a-z-]{2,8}\|[0-9a-f]{0,12}\|[01]\|[0-9]{1,10}\|[0-9a-f]*"
    r"\|[A-Za-z0-9_.-]*\|[+0-9]*\|[0-9a-f]*\|[0-9*#+,]*\|[0-9a-f]*\|[0-9a-f]*"
)
KAMAILIO_CALLED = re.compile(r"[A-Za-z0-9_.-]+\|[+0-9]*(\|[^|]*){10}")


def test_a_record_has_every_field_between_bars() -> None:
    expected = (
        f"{'a' * 32}|{'b' * 64}|user|user1|de|0015651a2b3c|1|1795348800|4772c3b6c39f657c"
        "|t|+4989123401|616e6e61406578616d706c652e636f6d|,112,110,|4c6f6262792026616d703b204772c3bc6e|507265737320275369676e20496e27"
    )
    assert expected == render_record(CREDENTIALS)


def test_the_user_of_a_phone_has_every_field_between_bars() -> None:
    called = called_by_credentials(CREDENTIALS, "u.3")
    assert called is not None
    assert (
        "t|+4989123401|616e6e61406578616d706c652e636f6d|4772c3b6c39f657c|u.3|2b34393839393939|1|2b34393330|||20|0"
        == render_called(called)
    )


def test_a_phone_without_a_user_is_nobody_to_call() -> None:
    assert called_by_credentials(replace(CREDENTIALS, may_call=False), "u.3") is None


@given(st.builds(CallSettings), st.text(), st.text())
def test_every_user_is_one_that_kamailio_takes(settings: CallSettings, name: str, voicemail: str) -> None:
    credentials = replace(CREDENTIALS, call_settings=settings, display_name=name, voicemail=voicemail)
    called = called_by_credentials(credentials, "u.3")
    assert called is not None

    assert KAMAILIO_CALLED.fullmatch(render_called(called))


@given(st.text(), st.text(), st.booleans(), st.booleans())
def test_every_record_is_one_that_kamailio_takes(name: str, language: str, may_call: bool, emergency: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    credentials = replace(CREDENTIALS, display_name=name, language=language, may_call=may_call, emergency=emergency)

    assert KAMAILIO.fullmatch(render_record(credentials))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"ha1": Ha1("A" * 32, "b" * 64)}, "ha1.md5"),
        ({"ha1": Ha1("a" * 32, "b" * 63)}, "ha1.sha256"),
        ({"aor": "a|b"}, "aor"),
        ({"aor": ""}, "aor"),
        ({"aor": "a\n"}, "aor"),
        ({"mac": "00:15:65"}, "mac"),
        ({"tenant_id": "t|"}, "tenant_id"),
        ({"number": "030"}, "number"),
    ],
)
def test_credentials_that_would_break_the_record_are_refused_by_field(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(UnusableCredentials, match=f"^{field}$"):
        render_record(replace(CREDENTIALS, **wrong))


def test_nobody_is_a_404_and_nobody_reachable_a_503() -> None:
    assert CredentialsAnswer("u.3", 1, 2, 404) == answer_credentials(WANTED, None)
    assert CredentialsAnswer("u.3", 1, 2, 503) == answer_credentials_later(WANTED)


@pytest.mark.parametrize(
    ("functions_say", "phone_gets"),
    [(200, 480), (202, 480), (302, 480), (0, 480), (403, 403), (603, 603), (401, 403), (407, 403)],
)
def test_only_refusals_keep_their_status(functions_say: int, phone_gets: int) -> None:
    assert phone_gets == final_status(functions_say)


def test_a_verdict_becomes_status_and_phrase() -> None:
    assert VerdictAnswer(1, 2, 480, "Enrolled") == answer_verdict(DIALLED, FeatureCodeVerdict("enrolled", 200, "Enrolled"))


def test_a_verdict_without_a_phrase_shows_its_outcome() -> None:
    assert VerdictAnswer(1, 2, 603, "wrong otp") == answer_verdict(DIALLED, FeatureCodeVerdict("wrong_otp", 603, "\r\n"))


def test_without_the_functions_kamailio_words_the_answer() -> None:
    assert VerdictAnswer(1, 2, 503, "") == answer_verdict_later(DIALLED)


@given(st.text(st.characters(exclude_categories=())))
def test_every_reason_fits_a_status_line_and_a_quoted_string(reason: str) -> None:
    presented = presentable_reason(reason)

    assert len(presented) <= 120
    assert len(presented.encode()) <= 480
    assert [] == [character for character in presented if character in '"\\' or ord(character) < 32 or ord(character) == 127]
    assert presented == presentable_reason(presented)
