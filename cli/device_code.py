"""Signs an administrator in by the OAuth device authorization grant (RFC 8628): a code here, the sign-in in any browser."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from cli.connection import JsonObject, expect_object, open_client
from cli.failures import NotSignedIn, StrangeAnswer, Unreachable
from cli.settings import Settings
from cli.tokens import issued_token

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_DEFAULT_INTERVAL_SECONDS = 5  # RFC 8628, section 3.2
_SLOW_DOWN_SECONDS = 5  # RFC 8628, section 3.5
_ENDINGS = {
    "expired_token": "The code expired before anyone signed in",
    "access_denied": "The sign-in was refused",
    "authorization_declined": "The sign-in was refused",  # Entra ID's name for access_denied
}


@dataclass(frozen=True)
class DeviceAuthorization:
    """What the sign-in service gave: the code for the person, the secret for us, and how often to ask."""

    device_code: str
    user_code: str
    verification_uri: str
    expires_in: float
    interval: float


def request_device_authorization(settings: Settings) -> DeviceAuthorization:
    """Asks Entra ID for a code that the administrator types in a browser."""
    form = {"client_id": settings.login_client_id, "scope": f"{settings.api_audience}/.default"}
    response = _post(settings, "devicecode", form)
    answer = expect_object(response)
    if not response.is_success:
        said = str(answer.get("error_description") or answer.get("error") or f"status {response.status_code}")
        raise NotSignedIn("The sign-in service gave no code", detail=said, advice="Check SIPGW_LOGIN_CLIENT_ID.")
    return _parse_authorization(answer)


def request_token(
    settings: Settings, authorization: DeviceAuthorization, *, sleep: Callable[[float], None] = time.sleep
) -> tuple[str, datetime]:
    """Asks until someone signed in: waits the interval, 5 s longer after each slow_down, twice as long after a timeout."""
    form = {"grant_type": _GRANT, "client_id": settings.login_client_id, "device_code": authorization.device_code}
    interval, waited = authorization.interval, 0.0
    while waited < authorization.expires_in:
        sleep(interval)
        waited += interval
        try:
            response = _post(settings, "token", form)
        except Unreachable as error:
            if not isinstance(error.__cause__, httpx.TimeoutException):
                raise
            interval *= 2  # RFC 8628, section 3.5: exponential backoff on a connection timeout
            continue
        error_code = "" if response.is_success else str(expect_object(response).get("error"))
        if error_code == "slow_down":
            interval += _SLOW_DOWN_SECONDS
        elif error_code in _ENDINGS:
            raise NotSignedIn(_ENDINGS[error_code], advice="Run `./sipgw login` again.")
        elif error_code != "authorization_pending":
            return issued_token(response, settings.login_url)
    raise NotSignedIn(_ENDINGS["expired_token"], advice="Run `./sipgw login` again.")


def _post(settings: Settings, endpoint: str, form: dict[str, str]) -> httpx.Response:
    base = settings.login_url
    try:
        with open_client(base, settings.ca_file) as client:
            return client.post(f"{base}/organizations/oauth2/v2.0/{endpoint}", data=form)
    except httpx.RequestError as error:
        advice = "Check the network, or SIPGW_LOGIN_URL."
        raise Unreachable(f"No sign-in service answers at {base}", detail=str(error), advice=advice) from error


def _parse_authorization(answer: JsonObject) -> DeviceAuthorization:
    texts = [answer.get(name) for name in ("device_code", "user_code", "verification_uri")]
    numbers = [answer.get("expires_in"), answer.get("interval", _DEFAULT_INTERVAL_SECONDS)]
    if not all(isinstance(text, str) and text for text in texts) or not all(isinstance(n, int | float) for n in numbers):
        raise StrangeAnswer("The sign-in service answered without a code", advice="Check SIPGW_LOGIN_URL.")
    (device_code, user_code, verification_uri), (expires_in, interval) = map(str, texts), (float(n or 0) for n in numbers)
    return DeviceAuthorization(device_code, user_code, verification_uri, expires_in=expires_in, interval=max(interval, 1.0))
