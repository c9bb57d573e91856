"""The phone's screens: sign in, waiting, done, sign out. The state decides what is shown, whichever key was pressed."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.installation import Installation
from chalicelib.usecases.ports import Gateway
from chalicelib.usecases.serve_phone_file import load_installation
from chalicelib.usecases.sign_out_device import sign_out_at_phone
from chalicelib.usecases.start_pairing import PairingOffer, show_pairing, start_pairing, void_pairing
from chalicelib.vendors.files import phone_language, provisioning_url
from chalicelib.vendors.screens import Screen, ScreenDocument, SoftKey, render_screen
from chalicelib.vendors.texts import translator


@dataclass(frozen=True)
class ScreenRequest:
    """`/d/TOKEN/[lang_xx/]ui/NAME`."""

    token: str
    name: str


@dataclass(frozen=True)
class _Words:
    """The phone's language and its URLs."""

    say: Callable[[str], str]
    base_url: str

    def url(self, name: str) -> str:
        return f"{self.base_url}ui/{name}"


def show_screen(gateway: Gateway, request: ScreenRequest) -> ScreenDocument | None:
    """The screen's document, or None for the plain 404. Sign in: one read more and two or three writes; waiting: one read."""
    build = _SCREENS.get(request.name)
    installation = load_installation(gateway, request.token) if build else None
    if build is None or installation is None:
        return None
    base_url = provisioning_url(gateway.settings.public_url, request.token, installation.language)
    words = _Words(translator(phone_language(installation)), base_url)
    return render_screen(installation.vendor, build(gateway, installation, words))


def _sign_in(gateway: Gateway, installation: Installation, words: _Words) -> Screen:
    if installation.profile.user:
        return _signed_in(installation, words)
    return _waiting(start_pairing(gateway, installation.id), words)


def _pairing(gateway: Gateway, installation: Installation, words: _Words) -> Screen:
    if installation.profile.user:
        return _signed_in(installation, words)
    offer = show_pairing(gateway, installation)
    if offer is not None:
        return _waiting(offer, words)
    text = words.say("The code has expired. Press Sign in for a new one.")
    return Screen(
        words.say("Sign in"), (text,), (SoftKey(words.say("Sign in"), words.url("sign-in")), SoftKey(words.say("Exit")))
    )


def _cancel(gateway: Gateway, installation: Installation, words: _Words) -> Screen:
    void_pairing(gateway, installation.id)
    return Screen(words.say("Sign in"), (words.say("Cancelled."),), (SoftKey(words.say("Exit")),))


def _sign_out(_gateway: Gateway, installation: Installation, words: _Words) -> Screen:
    user = installation.profile.user
    if user is None:
        return Screen(words.say("Sign out"), (words.say("Nobody is signed in."),), (SoftKey(words.say("Exit")),))
    keys = (SoftKey(words.say("Back")), SoftKey(words.say("Sign out"), words.url("sign-out-confirmed")))
    return Screen(words.say("Sign out"), (words.say("Sign out from this phone?"), user.display_name, user.number), keys)


def _sign_out_confirmed(gateway: Gateway, installation: Installation, words: _Words) -> Screen:
    sign_out_at_phone(gateway, installation)
    return Screen(words.say("Sign out"), (words.say("Signed out"),), (SoftKey(words.say("Exit")),))


def _waiting(offer: PairingOffer, words: _Words) -> Screen:
    lines = (
        words.say("On your computer or mobile, open"),
        offer.authorization_url.removeprefix("https://"),
        words.say("and type this code:"),
        offer.code.reveal(),
    )
    keys = (SoftKey(words.say("Back"), words.url("cancel")), SoftKey(words.say("Refresh"), words.url("pairing")))
    return Screen(words.say("Sign in"), lines, keys, cancel_url=words.url("cancel"), refresh_url=words.url("pairing"))


def _signed_in(installation: Installation, words: _Words) -> Screen:
    user = installation.profile.user
    lines = (words.say("Signed in"), *((user.display_name, user.number) if user else ()))
    return Screen(words.say("Sign in"), lines, (SoftKey(words.say("Exit")),))


_SCREENS: dict[str, Callable[[Gateway, Installation, _Words], Screen]] = {
    "sign-in": _sign_in,
    "pairing": _pairing,
    "cancel": _cancel,
    "sign-out": _sign_out,
    "sign-out-confirmed": _sign_out_confirmed,
}
