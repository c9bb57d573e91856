"""Checks administrators' bearer tokens: access tokens of Microsoft Entra ID for our API, of any tenant.

RS256 only, a key of Entra's own, the issuer that belongs to the token's own tenant, our audience, and in its time. What the
caller may do is decided elsewhere, from the roles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from chalicelib.adapters.entra.issuer import issuer_of
from chalicelib.adapters.entra.signing_keys import SigningKeys, fetch_key_set
from chalicelib.domain.errors import NotAuthenticated
from chalicelib.domain.identifiers import parse_tenant_id
from chalicelib.usecases.ports import Caller

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.settings import Settings

LEEWAY_SECONDS = 60
_LONGEST_TOKEN = 16_384  # an access token with the most roles has some 4,000 characters
_NAMES = ("preferred_username", "upn", "unique_name")  # version 2.0's, then 1.0's


class EntraTokenCheck:
    """The TokenCheck port. `keys` is Entra's key set; by default it is read from `settings.entra_url`."""

    def __init__(self, settings: Settings, keys: SigningKeys | None = None) -> None:
        self._audiences = [audience for audience in (settings.api_audience, settings.entra_client_id) if audience]
        self._keys = keys or SigningKeys(fetch_key_set(settings.entra_url))

    def check(self, bearer: str) -> Caller:
        """Who calls. Raises NotAuthenticated, or IdentityProviderAway where no key is known yet."""
        claims = self._verified_claims(bearer)
        tenant_id = parse_tenant_id(str(claims.get("tid", "")))
        if tenant_id is None or claims["iss"] != issuer_of(tenant_id, str(claims.get("ver", ""))):
            _refuse("its issuer is not the issuer of its tenant")
        application = claims.get("azp") or claims.get("appid")
        if not application:
            _refuse("it is not an access token")  # an ID token names no application that may use it
        person = next((str(claims[name]).lower() for name in _NAMES if claims.get(name)), "")
        actor = str(application) if claims.get("idtyp") == "app" or not person else person
        return Caller(tenant_id, actor, _roles_of(claims), str(claims.get("oid", "")))

    def _verified_claims(self, bearer: str) -> dict[str, Any]:
        import jwt  # noqa: PLC0415 - 160 ms with cryptography, which only administrators' requests pay

        if len(bearer) > _LONGEST_TOKEN:
            _refuse("it is too long")
        try:
            header = jwt.get_unverified_header(bearer)
            if header.get("alg") != "RS256":
                _refuse("it is not signed with RS256")
            key = self._keys.find_key(str(header.get("kid", "")))
            if key is None:
                _refuse("no current key of Entra ID signed it")
            claims: dict[str, Any] = jwt.decode(
                bearer,
                key.key,
                algorithms=["RS256"],
                audience=self._audiences,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "nbf", "iss", "aud"]},
            )
        except jwt.PyJWTError as error:
            _refuse(_REASONS.get(type(error).__name__, "it cannot be read"), error)
        if key.issuer and key.issuer.replace("{tenantid}", str(claims.get("tid"))) not in _issuers_of(claims):
            _refuse("its key does not sign for its tenant")
        return claims


_REASONS = {
    "ExpiredSignatureError": "it has expired",
    "ImmatureSignatureError": "it is not valid yet",
    "InvalidAudienceError": "it is for another API",
    "InvalidSignatureError": "its signature is wrong",
    "MissingRequiredClaimError": "a claim is missing",
}


def _issuers_of(claims: Mapping[str, Any]) -> set[str | None]:
    """Entra's common key set gives its keys version 2.0's issuer form, whichever version the token has."""
    return {claims["iss"], issuer_of(str(claims.get("tid")), "2.0")}


def _roles_of(claims: Mapping[str, Any]) -> frozenset[str]:
    roles = claims.get("roles")
    return frozenset(str(role) for role in roles) if isinstance(roles, list) else frozenset()


def _refuse(reason: str, cause: Exception | None = None) -> NoReturn:
    raise NotAuthenticated(f"The bearer token is not accepted: {reason}. Get a new one and try again.") from cause
