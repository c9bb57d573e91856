"""A caller who does not want to be named (RFC 3323, RFC 3325): no phone is told who it is. The trunk: test_trunk.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sip.calls import call, connected, finish, take_call
from tests.sip.messages import SipMessage
from tests.sip.phone import Phone

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]
ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'


def shown(message: SipMessage) -> str:
    """All of it but the Contact, which no phone shows and which the answer's way back is."""
    return str([(name, value) for name, value in message.headers if name != "contact"])


@pytest.mark.parametrize(
    ("sender", "privacy"),
    [
        ("", "id"),
        ("", "user;id;critical"),
        ("", "header; user"),
        ('"Anonymous" <sip:anonymous@anonymous.invalid>', ""),
        ("<sip:Anonymous@localhost>", ""),
    ],
)
def test_the_callee_is_not_told_who_calls(hire: Hire, sender: str, privacy: str) -> None:
    anna, ben = hire(), hire()
    anna.shown_as = sender
    asked = [("Privacy", privacy), ("Proxy-Require", "privacy")] if privacy else []
    outgoing = call(anna, ben.account.aor, [*asked, ("P-Preferred-Identity", f"<sip:{anna.account.aor}@edge.test>")])
    invite, media = take_call(ben)

    assert invite.header("From").startswith(f"{ANONYMOUS};tag=")
    assert ([], ["id"]) == (invite.all("P-Asserted-Identity"), invite.all("Privacy"))
    assert anna.account.aor not in shown(invite)
    assert "User " not in shown(invite)  # the display name
    far, near = finish(outgoing, ben, invite, media)
    assert near.local == near.answer.header("From")
    assert 200 == far.hang_up_with(near).status


@pytest.mark.parametrize("privacy", ["none", "session", "history;critical", "idle"])
def test_another_wish_hides_nobody(hire: Hire, privacy: str) -> None:
    anna, ben = hire(), hire()
    call(anna, ben.account.aor, [("Privacy", privacy)])

    assert anna.account.aor in take_call(ben)[0].header("P-Asserted-Identity")


def test_who_called_stays_unnamed_within_the_call(hire: Hire) -> None:
    anna, ben = hire(), hire()
    anna.shown_as = ANONYMOUS
    near, far = connected(anna, ben.account.aor, ben)
    near.request("UPDATE")
    seen_by_ben = ben.receive("UPDATE")
    ben.answer(seen_by_ben, "200 OK", [("P-Asserted-Identity", "<sip:x@edge.test>")])
    far.request("UPDATE")
    seen_by_anna = anna.receive("UPDATE")

    assert ([], ANONYMOUS) == (seen_by_ben.all("P-Asserted-Identity"), seen_by_ben.header("From").partition(";")[0])
    assert ben.account.aor in seen_by_anna.header("P-Asserted-Identity")
