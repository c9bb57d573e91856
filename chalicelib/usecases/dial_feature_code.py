"""A phone dialled a feature code: do it, and say so in one final SIP status with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chalicelib.contracts.edge import CallSettings, FeatureCodeRequest, FeatureCodeVerdict
from chalicelib.domain.calls import without_forwarding
from chalicelib.domain.errors import CallerFault, NotNow, NotSignedIn, NoVoicemail
from chalicelib.domain.feature_code import (
    ALSO_RING,
    DISTURB,
    DO_NOT_DISTURB,
    ENROLL,
    FOR_THE_USER,
    FORWARD,
    FORWARD_ON_TIMEOUT,
    RESET_FORWARDING,
    SIGN_IN,
    SIGN_OUT,
    VOICEMAIL,
    FeatureCode,
    parse_feature_code,
)
from chalicelib.domain.installation import Installation, account_of, split_username
from chalicelib.usecases.enroll_device import enroll_device
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.request_command import account_commands, tell_every_edge
from chalicelib.usecases.set_call_settings import Change, dial_call_settings, dialled_target
from chalicelib.usecases.sign_out_device import sign_out_at_phone
from chalicelib.usecases.start_pairing import start_pairing
from chalicelib.vendors.files import phone_language
from chalicelib.vendors.texts import translator

DONE = 480  # RFC 3261 21.4.18: nobody answers, and the phone shows the reason
REFUSED = 403
LATER = 503
NOT_A_CODE = 404


def dial_feature_code(gateway: Gateway, request: FeatureCodeRequest) -> FeatureCodeVerdict:
    """The verdict, with its reason in the phone's language. Never raises what the phone can be told."""
    if request.expires_at is not None and gateway.clock() > request.expires_at:
        return FeatureCodeVerdict("too_late", LATER, "Try again in a minute")
    named = split_username(request.username)
    installation = gateway.store.load(Installation, named[0]) if named else None
    account = account_of(installation, named[1]) if installation and named else None
    if installation is None or account is None:
        return FeatureCodeVerdict("not_onboarded", REFUSED, "This phone is not known. Restart it.")
    _ = translator(phone_language(installation))
    code = parse_feature_code(request.dialled)
    action = _ACTIONS.get(code.code) if code else None
    if code is None or action is None or (code.code == ENROLL and not code.argument):
        return FeatureCodeVerdict("unknown_feature_code", NOT_A_CODE, _("Unknown feature code"))
    try:
        if code.code in FOR_THE_USER and (installation.blocked or not account.may_call):
            raise NotSignedIn("Sign in on this phone first.")
        outcome, reason = action(gateway, installation, code)
    except NotNow as refusal:
        return FeatureCodeVerdict(refusal.code, LATER, _(refusal.title))
    except CallerFault as refusal:
        return FeatureCodeVerdict(refusal.code, REFUSED, _(refusal.title))
    return FeatureCodeVerdict(outcome, DONE, reason, announce=outcome)


def _enroll(gateway: Gateway, installation: Installation, code: FeatureCode) -> tuple[str, str]:
    enroll_device(gateway, installation.id, code.argument)
    return "enrolled", translator(phone_language(installation))("Phone enrolled")


def _sign_in(gateway: Gateway, installation: Installation, _code: FeatureCode) -> tuple[str, str]:
    offer = start_pairing(gateway, installation.id)
    address = offer.authorization_url.removeprefix("https://")
    return "authorization_pending", f"{address} {offer.code.reveal()}"


def _sign_out(gateway: Gateway, installation: Installation, _code: FeatureCode) -> tuple[str, str]:
    sign_out_at_phone(gateway, installation)
    return "signed_out", translator(phone_language(installation))("Signed out")


# --- the user's calls --------------------------------------------------------------------------------------------------


def _do_not_disturb(gateway: Gateway, installation: Installation, _code: FeatureCode) -> tuple[str, str]:
    _set(gateway, installation, DO_NOT_DISTURB, lambda settings: replace(settings, do_not_disturb=True))
    return "do_not_disturb_on", translator(phone_language(installation))("Do not disturb is on")


def _disturb(gateway: Gateway, installation: Installation, _code: FeatureCode) -> tuple[str, str]:
    _set(gateway, installation, DISTURB, lambda settings: replace(settings, do_not_disturb=False))
    return "do_not_disturb_off", translator(phone_language(installation))("Do not disturb is off")


def _reset_forwarding(gateway: Gateway, installation: Installation, _code: FeatureCode) -> tuple[str, str]:
    _set(gateway, installation, RESET_FORWARDING, without_forwarding)
    return "forwarding_reset", translator(phone_language(installation))("Call forwarding is off")


def _forward(gateway: Gateway, installation: Installation, code: FeatureCode) -> tuple[str, str]:
    number = dialled_target(installation, code.argument)
    _set(gateway, installation, FORWARD, lambda settings: replace(settings, forward_to=number))
    reason = translator(phone_language(installation))("Calls are forwarded to {number}")
    return "forwarding_set", reason.format(number=number)


def _forward_on_timeout(gateway: Gateway, installation: Installation, code: FeatureCode) -> tuple[str, str]:
    number = dialled_target(installation, code.argument)
    _set(gateway, installation, FORWARD_ON_TIMEOUT, lambda settings: replace(settings, forward_on_timeout_to=number))
    reason = translator(phone_language(installation))("Unanswered calls are forwarded to {number}")
    return "forwarding_on_timeout_set", reason.format(number=number)


def _also_ring(gateway: Gateway, installation: Installation, code: FeatureCode) -> tuple[str, str]:
    number = dialled_target(installation, code.argument)
    _set(gateway, installation, ALSO_RING, lambda settings: replace(settings, also_ring=number))
    reason = translator(phone_language(installation))("{number} rings as well")
    return "also_ring_set", reason.format(number=number)


def _voicemail(gateway: Gateway, installation: Installation, _code: FeatureCode) -> tuple[str, str]:
    """An edge routes this code by itself. It asks here where it knows of no voicemail; where there is one, it learns of it."""
    if not installation.profile.voicemail:
        raise NoVoicemail("Ask your administrator for a voicemail box.")
    tell_every_edge(gateway, account_commands(gateway, installation, installation))
    return "voicemail_known", translator(phone_language(installation))("Try again in a minute")


def _set(gateway: Gateway, installation: Installation, code: str, change: Change) -> CallSettings:
    return dial_call_settings(gateway, installation, f"*{code}*", change)


_ACTIONS: dict[str, Callable[[Gateway, Installation, FeatureCode], tuple[str, str]]] = {
    DO_NOT_DISTURB: _do_not_disturb,
    DISTURB: _disturb,
    RESET_FORWARDING: _reset_forwarding,
    FORWARD: _forward,
    FORWARD_ON_TIMEOUT: _forward_on_timeout,
    ALSO_RING: _also_ring,
    VOICEMAIL: _voicemail,
    ENROLL: _enroll,
    SIGN_IN: _sign_in,
    SIGN_OUT: _sign_out,
}
