"""`sipgw dhcp`: asks the gateway for its provisioning URL and prints a snippet for one DHCP server."""

import ipaddress
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from cli.dhcp_snippets import DhcpServer, DhcpSettings, render_provisioning_url, render_snippet
from cli.failures import StrangeAnswer
from cli.gateway import open_gateway
from cli.options import JsonOption
from cli.screen import print_json, print_note, print_text

_NTP_SERVERS = ["162.159.200.1", "162.159.200.123"]  # time.cloudflare.com: option 42 holds addresses, not names
_URL = re.compile(r"https://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?")  # nothing that could end a quoted string


def parse_provisioning_url(text: str) -> str:
    """`https://HOST/`, safe between the quotes of every DHCP server."""
    if not _URL.fullmatch(text.strip()) or not urlsplit(text.strip()).hostname:
        raise typer.BadParameter(f"{text!r} must be https://HOST/")
    return text.strip()


def parse_language(text: str) -> str:
    """Two letters, also from `lang_de`."""
    language = text.strip().lower().removeprefix("lang_")
    if not re.fullmatch(r"[a-z]{2}", language):
        raise typer.BadParameter(f"{text!r} is no language; two letters, for example de")
    return language


def parse_address(text: str) -> str:
    """An IPv4 address, as option 42 needs it."""
    try:
        return str(ipaddress.IPv4Address(text.strip()))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no IPv4 address; DHCP option 42 takes no names") from error


def print_dhcp(  # noqa: PLR0913 - one parameter per part of the snippet
    *,
    server: Annotated[DhcpServer, typer.Option(help="The DHCP server to write for.")] = DhcpServer.isc,
    url: Annotated[
        str | None, typer.Option(parser=parse_provisioning_url, help="https://HOST/ instead of asking the gateway.")
    ] = None,
    tenant: Annotated[UUID | None, typer.Option(help="Adds tenantid/GUID/ to the URL.")] = None,
    language: Annotated[str | None, typer.Option(parser=parse_language, help="Adds lang_xx/ to the URL.")] = None,
    ntp: Annotated[
        list[str] | None, typer.Option(parser=parse_address, help="Your time server's address; repeat for more.")
    ] = None,
    time_zone: Annotated[str | None, typer.Option(help="IANA name; this machine's by default.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Prints what to add to a DHCP server: options 66, 160, 42 and 2."""
    offset = _utc_offset_seconds(time_zone)
    provisioning_url = render_provisioning_url(url or _ask_gateway(), tenant=str(tenant) if tenant else None, language=language)
    settings = DhcpSettings(url=provisioning_url, ntp_servers=tuple(ntp or _NTP_SERVERS), utc_offset_seconds=offset)
    snippet = render_snippet(server, settings)
    if as_json:
        options = {"66": settings.url, "160": settings.url, "42": settings.ntp_servers, "2": settings.utc_offset_seconds}
        print_json({"server": server.value, "options": options, "cisco_url": settings.cisco_url, "snippet": snippet})
        return
    print_text(snippet)
    if not ntp:
        print_note("Option 42 names time.cloudflare.com; --ntp ADDRESS names your own.")


def _ask_gateway() -> str:
    with open_gateway() as gateway:
        answer = gateway.get("/v1/network")
    try:
        return parse_provisioning_url(str(answer.get("provisioning_url")))
    except typer.BadParameter as error:
        raise StrangeAnswer("The gateway named no provisioning URL", advice="Name it with --url https://HOST/") from error


def _utc_offset_seconds(time_zone: str | None) -> int:
    """Seconds east of UTC in that zone now."""
    try:
        now = datetime.now(UTC).astimezone(ZoneInfo(time_zone) if time_zone else None)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise typer.BadParameter(f"{time_zone!r} is no time zone of this machine; for example Europe/Berlin") from error
    return int((now.utcoffset() or timedelta()).total_seconds())
