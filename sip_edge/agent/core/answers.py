"""What Kamailio is told after the functions have answered, or could not."""

from __future__ import annotations

import unicodedata
from collections.abc import Container

from chalicelib.contracts.edge import Credentials, FeatureCodeVerdict
from sip_edge.agent.core.messages import CredentialsAnswer, CredentialsWanted, VerdictAnswer, VerdictWanted
from sip_edge.agent.core.records import called_by_credentials, render_called, render_record

# A success that cannot be spoken cannot be a 200: it ends the call attempt with its phrase on the screen.
# 480 Temporarily Unavailable makes no phone retry or sound an alarm. This is the one place of that rule.
SUCCESS_WITHOUT_MEDIA = 480

TRY_AGAIN = 503
MAX_REASON_LENGTH = 120


def answer_credentials(wanted: CredentialsWanted, credentials: Credentials | None) -> CredentialsAnswer:
    """The functions have answered: the record, or that there is nobody. Raises UnusableCredentials."""
    if credentials is None:
        return CredentialsAnswer(username=wanted.username, ti=wanted.ti, tl=wanted.tl, status=404)
    called = called_by_credentials(credentials, wanted.username)
    return CredentialsAnswer(
        username=wanted.username,
        ti=wanted.ti,
        tl=wanted.tl,
        status=200,
        record=render_record(credentials),
        called=render_called(called) if called else "",
    )


def answer_credentials_later(wanted: CredentialsWanted) -> CredentialsAnswer:
    """Nobody could say: Kamailio keeps a record that it has, and sends 503 with Retry-After where it has none."""
    return CredentialsAnswer(username=wanted.username, ti=wanted.ti, tl=wanted.tl, status=TRY_AGAIN)


def answer_verdict(wanted: VerdictWanted, verdict: FeatureCodeVerdict, announcements: Container[str] = ()) -> VerdictAnswer:
    """The final answer to the suspended INVITE; `announcements` are the names that the edge can speak."""
    return VerdictAnswer(
        ti=wanted.ti,
        tl=wanted.tl,
        status=final_status(verdict.sip_status),
        reason=presentable_reason(verdict.reason) or verdict.outcome.replace("_", " "),
        announce=verdict.announce if verdict.announce in announcements else "",
    )


def answer_verdict_later(wanted: VerdictWanted) -> VerdictAnswer:
    """The functions are away: Kamailio says "Try again in a minute" in the phone's language."""
    return VerdictAnswer(ti=wanted.ti, tl=wanted.tl, status=TRY_AGAIN)


def final_status(sip_status: int) -> int:
    """The SIP status that ends the INVITE: refusals as they are, everything else as SUCCESS_WITHOUT_MEDIA.

    401 and 407 would make the phone compute a digest for a challenge that is not there, so they become 403.
    """
    if sip_status in {401, 407}:
        return 403
    return sip_status if 400 <= sip_status <= 699 else SUCCESS_WITHOUT_MEDIA  # noqa: PLR2004 - RFC 3261 section 21


def presentable_reason(reason: str) -> str:
    """The phrase as it may stand in a status line and a quoted string: one line, no controls, at most 120 characters."""
    spaced = "".join(" " if unicodedata.category(character) in {"Cc", "Zl", "Zp"} else character for character in reason)
    plain = spaced.replace('"', "'").replace("\\", "/").encode("utf-8", "ignore").decode()
    return " ".join(plain.split())[:MAX_REASON_LENGTH]
