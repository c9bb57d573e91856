"""`sipgw tenant …`, `sync`, `network`, `compatible`: the organisation's settings and what the region offers."""

from typing import Annotated, Any

import typer

from cli.gateway import open_gateway
from cli.jobs import follow_job, show_job
from cli.options import JsonOption
from cli.screen import print_fields, print_json, print_table, print_text, rows_of
from cli.waiting import expect_done

tenant = typer.Typer(help="The organisation's settings.", no_args_is_help=True)

_COMPATIBLE_COLUMNS = ("vendor", "model", "minimum_firmware", "approved_firmware")


@tenant.command("show")
def show_tenant(*, as_json: JsonOption = False) -> None:
    """Shows the tenant's settings and the state of its policy sync."""
    with open_gateway() as gateway:
        answer = gateway.get("/v1/tenant")
    print_json(answer) if as_json else print_fields(answer)


@tenant.command("set")
def set_tenant(  # noqa: PLR0913 - one parameter per setting of a tenant
    *,
    enabled: Annotated[bool | None, typer.Option("--enabled/--disabled", help="Whether anybody may sign in.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="IANA name, for example Europe/Berlin.")] = None,
    default_language: Annotated[str | None, typer.Option(help="en, es, ja, de, fr or pt.")] = None,
    trusted_network: Annotated[list[str] | None, typer.Option(help='CIDR; repeat for several, "" for none.')] = None,
    voicemail: Annotated[str | None, typer.Option(help="What the voicemail key dials.")] = None,
    emergency_number: Annotated[list[str] | None, typer.Option(help='Repeat for several, "" for none.')] = None,
    emergency_when_signed_out: Annotated[bool | None, typer.Option(help="Emergency calls without a sign-in.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Changes the named settings; the others stay."""
    changes: dict[str, Any] = {"enabled": enabled, "time_zone": time_zone, "default_language": default_language}
    changes |= {"voicemail": voicemail, "trusted_networks": _listed(trusted_network)}
    emergency = {"numbers": _listed(emergency_number), "when_signed_out": emergency_when_signed_out}
    changes = {name: value for name, value in changes.items() if value is not None}
    emergency = {name: value for name, value in emergency.items() if value is not None}
    if not changes and not emergency:
        raise typer.BadParameter("say what to change; see --help")
    with open_gateway() as gateway:
        if emergency:
            present = gateway.get("/v1/tenant").get("emergency")
            changes["emergency"] = {**(present if isinstance(present, dict) else {}), **emergency}
        answer = gateway.patch("/v1/tenant", changes)
    print_json(answer) if as_json else print_fields(answer)


def _listed(values: list[str] | None) -> list[str] | None:
    """The values without empty ones, so that "" alone empties the list; None where the option was not given."""
    return None if not values else [value for value in values if value]


def sync_policies(
    *,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end, or only start it.")] = True,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait for the end.")] = 600,
    as_json: JsonOption = False,
) -> None:
    """Runs the policy sync for this tenant now, and shows how far it is."""
    with open_gateway() as gateway:
        job = gateway.post("/v1/sync")
        if wait:
            job = follow_job(gateway, job, "Policy sync", timeout)
    if wait or as_json:
        show_job(job, as_json=as_json)
    else:
        print_text(f"Policy sync {job.get('id')}: {job.get('state')}. Watch it with: ./sipgw jobs show {job.get('id')} --wait")
    if wait:
        expect_done(job, label="Policy sync")


def show_network(*, as_json: JsonOption = False) -> None:
    """Shows hosts, ports and addresses for firewall, DHCP and Conditional Access."""
    with open_gateway() as gateway:
        answer = gateway.get("/v1/network")
    print_json(answer) if as_json else print_fields(answer)


def list_compatible(
    *,
    vendor: Annotated[str | None, typer.Option(help="Only this vendor (in the table; --json is the whole list).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Lists the models that can be onboarded, with their minimum firmware. Needs no token."""
    with open_gateway(authenticated=False) as gateway:
        answer = gateway.get("/v1/compatible-devices")
    rows = [row for row in rows_of(answer) if isinstance(row, dict)]
    if vendor:
        rows = [row for row in rows if str(row.get("vendor")).lower() == vendor.lower()]
    if as_json:
        print_json(answer)
        return
    print_table(rows, _COMPATIBLE_COLUMNS, empty="No models.")
