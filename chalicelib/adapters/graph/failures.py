"""What a person is told when Microsoft Graph, or the token for it, is not to be had: here together, for the translators."""

from __future__ import annotations

import math

from chalicelib.domain.errors import DirectoryAway, DirectoryRefused

REFUSED_SECONDS = 300  # consent does not come by the second


class NotUnderstood(DirectoryAway):
    """Graph answers 400, or what nobody expects."""


def away(seconds: float) -> DirectoryAway:
    """Graph does not answer or throttles; `seconds` says for how long it will not be asked."""
    return DirectoryAway(
        "Microsoft Graph does not answer, or asks the gateway to wait. Nothing was changed; try again in some minutes.",
        math.ceil(seconds),
    )


def sign_in_service_away() -> DirectoryAway:
    """No token is to be had at the moment."""
    return DirectoryAway("The sign-in service does not answer, so Microsoft Graph cannot be asked. Try again in some minutes.")


def unreadable() -> DirectoryAway:
    """A document of another shape than Graph's: nothing may be concluded from it."""
    return DirectoryAway("Microsoft Graph's answer cannot be read. Nothing was changed; tell the gateway's operator.")


def not_understood() -> NotUnderstood:
    """Graph finds fault with the request."""
    return NotUnderstood("Microsoft Graph does not understand the gateway. Nothing was changed; tell the gateway's operator.")


def no_consent() -> DirectoryRefused:
    """The tenant does not know the application, or has not granted what docs/graph.md lists."""
    return DirectoryRefused(
        "Your organisation has not let the SIP Gateway read its users. Ask your administrator to give consent.", REFUSED_SECONDS
    )


def secret_refused() -> DirectoryRefused:
    """The client secret has expired, or is wrong."""
    return DirectoryRefused(
        "The gateway's own secret is not accepted. Its operator must set a new entra_client_secret.", REFUSED_SECONDS
    )
