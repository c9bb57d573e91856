"""A phone dialled a feature code: do it, and say so in one final SIP status with its reason."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.contracts.edge import FeatureCodeRequest, FeatureCodeVerdict
from chalicelib.domain.errors import CallerFault, NotNow
from chalicelib.domain.feature_code import ENROLL, SIGN_IN, SIGN_OUT, FeatureCode, parse_feature_code
from chalicelib.domain.installation import Installation, account_of, split_username
from chalicelib.usecases.enroll_device import enroll_device
from chalicelib.usecases.ports import Gateway
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
    if installation is None or named is None or account_of(installation, named[1]) is None:
        return FeatureCodeVerdict("not_onboarded", REFUSED, "This phone is not known. Restart it.")
    _ = translator(phone_language(installation))
    code = parse_feature_code(request.dialled)
    action = _ACTIONS.get(code.code) if code else None
    if code is None or action is None or (code.code == ENROLL and not code.argument):
        return FeatureCodeVerdict("unknown_feature_code", NOT_A_CODE, _("Unknown feature code"))
    try:
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


_ACTIONS: dict[str, Callable[[Gateway, Installation, FeatureCode], tuple[str, str]]] = {
    ENROLL: _enroll,
    SIGN_IN: _sign_in,
    SIGN_OUT: _sign_out,
}
