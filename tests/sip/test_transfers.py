"""Transfers (RFC 3515, 3891): nothing that names a call is rewritten on its way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.contracts.edge import CallSettings
from tests.sip.calls import call, connected, finish, take_call
from tests.sip.media import talk
from tests.sip.phone import REALM, Phone

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]


def test_a_blind_transfer_is_asked_for_and_followed(hire: Hire) -> None:
    anna, ben, cleo = hire(), hire(), hire()
    near, far = connected(anna, ben.account.aor, ben)
    referred_by = f"<sip:{ben.account.aor}@{REALM}>"
    far.request("REFER", [("Refer-To", f"<sip:{cleo.account.aor}@{REALM}>"), ("Referred-By", referred_by)])
    refer = anna.receive("REFER")
    anna.answer(refer, "202 Accepted")
    near.request("NOTIFY", [("Event", "refer"), ("Content-Type", "message/sipfrag")], b"SIP/2.0 100 Trying")
    notify = ben.receive("NOTIFY")
    ben.answer(notify, "200 OK")
    assert [202, 200] == [ben.receive().status, anna.receive().status]
    outgoing = call(anna, cleo.account.aor, [("Referred-By", refer.header("Referred-By"))])
    invite, media = take_call(cleo)
    third, first = finish(outgoing, cleo, invite, media)

    assert f"<sip:{cleo.account.aor}@{REALM}>" == refer.header("Refer-To")
    assert b"SIP/2.0 100 Trying" == notify.body
    assert [referred_by] * 2 == [refer.header("Referred-By"), invite.header("Referred-By")]
    assert (20, 20) == talk(first.media, third.media)


def test_an_attended_transfer_names_the_call_that_it_replaces_as_both_sides_know_it(hire: Hire) -> None:
    anna, ben, cleo = hire(), hire(), hire()
    connected(anna, ben.account.aor, ben)
    consultation, there = connected(ben, cleo.account.aor, cleo)
    to_tag, from_tag = (side.partition(";tag=")[2] for side in (consultation.remote, consultation.local))
    outgoing = call(anna, cleo.account.aor, [("Replaces", f"{consultation.call_id};to-tag={to_tag};from-tag={from_tag}")])
    invite, media = take_call(cleo)
    third, first = finish(outgoing, cleo, invite, media)

    local, remote = (side.partition(";tag=")[2] for side in (there.local, there.remote))
    assert f"{there.call_id};to-tag={local};from-tag={remote}" == invite.header("Replaces")
    assert 200 == there.hang_up_with(consultation).status
    assert (20, 20) == talk(first.media, third.media)


def test_who_takes_one_call_at_a_time_is_transferred_to_all_the_same(hire: Hire) -> None:
    """The new call takes the place of the one that makes them busy."""
    anna, ben, cleo = hire(), hire(), hire(call_settings=CallSettings(busy_on_busy=True))
    connected(anna, ben.account.aor, ben)
    consultation, there = connected(ben, cleo.account.aor, cleo)
    to_tag, from_tag = (side.partition(";tag=")[2] for side in (consultation.remote, consultation.local))
    outgoing = call(anna, cleo.account.aor, [("Replaces", f"{consultation.call_id};to-tag={to_tag};from-tag={from_tag}")])
    third, first = finish(outgoing, cleo, *take_call(cleo))

    assert 486 == call(hire(), cleo.account.aor).refused().status
    assert 200 == there.hang_up_with(consultation).status
    assert (20, 20) == talk(first.media, third.media)


@pytest.mark.parametrize("setting", ["forward_to", "forward_on_timeout_to"])
def test_who_was_asked_in_place_of_a_user_who_forwards_takes_the_call(hire: Hire, setting: str) -> None:
    """A phone names the user whom it called, not the colleague who answered."""
    anna, cleo = hire(), hire()
    ben = hire(call_settings=CallSettings(ring_seconds=60, **{setting: cleo.account.aor}))
    outgoing = call(anna, ben.account.aor, [("Replaces", "a-call;to-tag=a;from-tag=b")])
    ben.answer(ben.receive("INVITE"), "481 Call/Transaction Does Not Exist")
    third, first = finish(outgoing, cleo, *take_call(cleo))

    assert (20, 20) == talk(first.media, third.media)


def test_no_call_of_another_tenant_is_taken_over(hire: Hire) -> None:
    """Replaces goes where the number leads, and no number leads to another tenant's phone."""
    ben, cleo, stranger = hire(), hire(), hire(tenant_id="other")
    near, far = connected(ben, cleo.account.aor, cleo)
    to_tag, from_tag = (side.partition(";tag=")[2] for side in (near.remote, near.local))
    replaces = [("Replaces", f"{near.call_id};to-tag={to_tag};from-tag={from_tag}")]
    answers = [
        call(stranger, target, replaces).refused().status for target in (cleo.account.aor, f"{cleo.account.aor}@{cleo.address}")
    ]

    assert all(status >= 400 for status in answers)
    with pytest.raises(TimeoutError):
        cleo.receive("INVITE", seconds=0.3)
    assert (20, 20) == talk(near.media, far.media)


@pytest.mark.parametrize("header", ["Replaces", "Referred-By"])
def test_a_signed_out_phone_follows_no_transfer(hire: Hire, header: str) -> None:
    signed_out, ben = hire(may_call=False), hire()

    assert 403 == call(signed_out, ben.account.aor, [(header, "x;to-tag=a;from-tag=b")]).refused().status
    with pytest.raises(TimeoutError):
        ben.receive("INVITE", seconds=0.3)


@pytest.mark.parametrize("host", ["phone", "sbc.example.com:5061;transport=tls"])
def test_who_was_asked_first_is_called_by_the_contact_of_its_phone(hire: Hire, host: str) -> None:
    """Or by that of the trunk's peer, where it is a number of the public network."""
    anna, cleo = hire(), hire()
    outgoing = call(
        anna, f"{cleo.account.aor}@{host.replace('phone', cleo.address)}", [("Replaces", "a-call;to-tag=a;from-tag=b")]
    )
    invite, media = take_call(cleo)
    third, first = finish(outgoing, cleo, invite, media)

    assert "a-call;to-tag=a;from-tag=b" == invite.header("Replaces")
    assert (20, 20) == talk(first.media, third.media)
