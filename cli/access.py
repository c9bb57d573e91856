"""`sipgw login` and `sipgw token`: an administrator's bearer token, from Entra ID or for the gateway on this machine."""

from typing import Annotated
from uuid import UUID

import typer

from cli.device_code import request_device_authorization, request_token
from cli.gateway import read_settings
from cli.options import JsonOption
from cli.screen import print_json, print_note, print_text, progress
from cli.tokens import DEVELOPMENT_TENANT, parse_role, request_development_token, save_token


def sign_in_administrator(*, as_json: JsonOption = False) -> None:
    """Signs you in with Entra ID and keeps the token for this gateway in ~/.config/sipgw/token.json."""
    settings = read_settings()
    authorization = request_device_authorization(settings)
    print_note(f"Open {authorization.verification_uri} in a browser and enter the code {authorization.user_code}")
    with progress("Waiting for the sign-in"):
        token, expires_at = request_token(settings, authorization)
    save_token(settings, token, expires_at)
    if as_json:
        print_json({"url": settings.gateway_url, "token_file": str(settings.token_file), "expires_at": expires_at.isoformat()})
    else:
        print_text(f"Signed in for {settings.gateway_url} until {expires_at:%Y-%m-%d %H:%M} UTC.")


def print_token(
    *,
    role: Annotated[str, typer.Option(help="admin, technician or reader; also Gateway.Admin and so on.")],
    tenant: Annotated[UUID, typer.Option(help="The tenant's GUID.")] = DEVELOPMENT_TENANT,
    as_json: JsonOption = False,
) -> None:
    """Prints a bearer token for the local gateway, and nothing else."""
    token = request_development_token(read_settings(), role=parse_role(role), tenant=tenant)
    print_json({"access_token": token}) if as_json else print_text(token)
