"""What Kamailio is told after the functions have answered, or could not."""

from __future__ import annotations

import re
import unicodedata

from chalicelib.contracts.edge import Credentials, FeatureCodeVerdict
from sip_edge.agent.core.messages import CredentialsAnswer, CredentialsWanted, VerdictAnswer, VerdictWanted

# No media yet in this release, so a success cannot be a 200: it ends the call attempt with its phrase on the screen.
# 480 Temporarily Unavailable makes no phone retry or sound an alarm. This is the one place of that rule.
SUCCESS_WITHOUT_MEDIA = 480

TRY_AGAIN = 503
MAX_REASON_LENGTH = 120

_AOR = re.compile(r"[A-Za-z0-9_.+-]{1,64}")
_HA1_MD5 = re.compile(r"[0-9a-f]{32}")
_HA1_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAC = re.compile(r"[0-9a-f]{0,12}")
_LANGUAGE = re.compile(r"[a-z-]{2,8}")


class UnusableCredentials(ValueError):
    """Credentials from the functions that Kamailio's table could not hold; the message names the field."""


def render_record(credentials: Credentials) -> str:
    """The value of Kamailio's `credentials` table: fields between bars, free text in hex. Raises UnusableCredentials.

    `md5|sha256|class|aor|language|mac|emergency|expires_at|display name in hex`; class is `user` or `onboarding`.
    """
    checks = {
        "ha1.md5": (_HA1_MD5, credentials.ha1.md5),
        "ha1.sha256": (_HA1_SHA256, credentials.ha1.sha256),
        "aor": (_AOR, credentials.aor),
        "mac": (_MAC, credentials.mac),
    }
    for field, (pattern, value) in checks.items():
        if not pattern.fullmatch(value):
            raise UnusableCredentials(field)
    fields = (
        credentials.ha1.md5,
        credentials.ha1.sha256,
        "user" if credentials.may_call else "onboarding",
        credentials.aor,
        credentials.language if _LANGUAGE.fullmatch(credentials.language) else "en",
        credentials.mac,
        "1" if credentials.emergency else "0",
        str(int(credentials.expires_at.timestamp())),
        credentials.display_name[:64].encode().hex(),
    )
    return "|".join(fields)


def answer_credentials(wanted: CredentialsWanted, credentials: Credentials | None) -> CredentialsAnswer:
    """The functions have answered: the record, or that there is nobody. Raises UnusableCredentials."""
    if credentials is None:
        return CredentialsAnswer(username=wanted.username, ti=wanted.ti, tl=wanted.tl, status=404)
    record = render_record(credentials)
    return CredentialsAnswer(username=wanted.username, ti=wanted.ti, tl=wanted.tl, status=200, record=record)


def answer_credentials_later(wanted: CredentialsWanted) -> CredentialsAnswer:
    """Nobody could say: Kamailio keeps a record that it has, and sends 503 with Retry-After where it has none."""
    return CredentialsAnswer(username=wanted.username, ti=wanted.ti, tl=wanted.tl, status=TRY_AGAIN)


def answer_verdict(wanted: VerdictWanted, verdict: FeatureCodeVerdict) -> VerdictAnswer:
    """The final answer to the suspended INVITE."""
    return VerdictAnswer(
        ti=wanted.ti,
        tl=wanted.tl,
        status=final_status(verdict.sip_status),
        reason=presentable_reason(verdict.reason) or verdict.outcome.replace("_", " "),
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
