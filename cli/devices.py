"""`sipgw devices list|show|add|set|import|remove`: the inventory.

One-time passwords are in enrollment.py, orders to a device in orders.py, what is on record of one in records.py.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import JsonObject
from cli.gateway import Gateway, open_gateway, segment
from cli.jobs import follow_job, show_job, show_row_results
from cli.options import JsonOption, LimitOption, MacArgument, read_upload
from cli.screen import print_fields, print_json, print_note, print_table, print_text, progress
from cli.waiting import expect_done

devices = typer.Typer(help="Devices: inventory, enrollment, sign-in, restart.", no_args_is_help=True)

_COLUMNS = ("mac", "vendor", "model", "firmware", "state", "connection", "user", "location", "last_seen_at")


class DeviceState(StrEnum):
    """A device's states, as the contract spells them."""

    added = "added"
    onboarded = "onboarded"
    enrolled = "enrolled"
    signed_in = "signed_in"
    offboarded = "offboarded"
    blocked = "blocked"


class Connection(StrEnum):
    """Whether a device is registered now."""

    online = "online"
    offline = "offline"
    never = "never"


class Language(StrEnum):
    """The languages of the product."""

    en = "en"
    es = "es"
    ja = "ja"
    de = "de"
    fr = "fr"
    pt = "pt"


def device_path(mac: str, *below: str) -> str:
    """Where a device is in the API."""
    return "/".join(("/v1/devices", segment(mac), *below))


@devices.command("list")
def list_devices(  # noqa: PLR0913 - one parameter per filter of the API
    *,
    state: Annotated[DeviceState | None, typer.Option(help="Only this state.")] = None,
    connection: Annotated[Connection | None, typer.Option(help="Only these.")] = None,
    vendor: Annotated[str | None, typer.Option(help="yealink, poly, cisco, audiocodes.")] = None,
    model: Annotated[str | None, typer.Option(help="For example T46U.")] = None,
    user: Annotated[str | None, typer.Option(help="The signed-in user's UPN.")] = None,
    location: Annotated[str | None, typer.Option(help="Where it stands.")] = None,
    search: Annotated[str | None, typer.Option("--search", "--q", "-q", help="Text anywhere in the device.")] = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lists the tenant's devices."""
    filters = {"vendor": vendor, "model": model, "user": user, "location": location, "q": search}
    query = {"state": state, "connection": connection, **filters}
    with open_gateway() as gateway:
        answer = collect_pages(gateway, "/v1/devices", query, limit=limit)
    if as_json:
        print_json(answer)
        return
    print_table([_row(device) for device in answer["items"]], _COLUMNS, empty="No devices.")
    note_more(answer)


def _row(device: object) -> JsonObject:
    if not isinstance(device, dict):
        return {"mac": device}
    user = device.get("user")
    return {**device, "user": user.get("upn") if isinstance(user, dict) else user}


def collect_pages(gateway: Gateway, path: str, query: dict[str, str | None], *, limit: int | None) -> JsonObject:
    """All pages of a list up to the limit, counting on stderr."""
    with progress("Loading") as (bar, task):
        return gateway.collect(
            path, query, limit=limit, on_page=lambda count: bar.update(task, completed=count, description=f"Loading: {count}")
        )


def note_more(answer: JsonObject) -> None:
    """Says that a limit cut the list."""
    if answer.get("next_cursor"):
        print_note("There are more; raise --limit or leave it out.")


@devices.command("show")
def show_device(mac: MacArgument, *, as_json: JsonOption = False) -> None:
    """Shows one device."""
    with open_gateway() as gateway:
        answer = gateway.get(device_path(mac))
    print_json(answer) if as_json else print_fields(answer)


@devices.command("add")
def add_device(
    mac: MacArgument,
    *,
    location: Annotated[str, typer.Option(help="Where it will stand.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Adds a device to the inventory, before or after it was onboarded."""
    with open_gateway() as gateway:
        answer = gateway.post("/v1/devices", {"mac": mac, "location": location})
    if as_json:
        print_json(answer)
    elif location and answer.get("location") != location:
        print_text(f"{mac} is in the inventory already, and stays where it is: {answer.get('location')}.")
        print_text(f'Move it with: ./sipgw devices set {mac} --location "{location}"')
    else:
        print_text(f"Added {mac}. Issue its one-time password with: ./sipgw devices otp {mac}")


@devices.command("set")
def set_device(
    mac: MacArgument,
    *,
    location: Annotated[str | None, typer.Option(help="Where it stands now.")] = None,
    language: Annotated[Language | None, typer.Option(help="Of its screens.")] = None,
    blocked: Annotated[
        bool | None, typer.Option("--block/--unblock", help="A blocked device gets no files and no calls.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Relocates a device, changes its language, blocks or unblocks it."""
    wishes = {"location": location, "language": language, "blocked": blocked}
    changes = {name: value for name, value in wishes.items() if value is not None}
    if not changes:
        raise typer.BadParameter("say what to change; see --help")
    with open_gateway() as gateway:
        answer = gateway.patch(device_path(mac), changes)
    print_json(answer) if as_json else print_fields(answer)


@devices.command("import")
def import_devices(
    file: Annotated[Path, typer.Argument(help="CSV with the header: MAC id,Location", exists=True, dir_okay=False)],
    *,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait for the end.")] = 600,
    as_json: JsonOption = False,
) -> None:
    """Adds devices from a CSV file and shows what became of each row."""
    content = read_upload(file)
    with open_gateway() as gateway:
        with progress(f"Sending {file.name}"):
            answer = gateway.upload("/v1/devices/import", content, content_type="text/csv; charset=utf-8")
        if "items" in answer or "state" not in answer:  # it was done with the answer
            show_row_results(answer, as_json=as_json)
            return
        job = follow_job(gateway, answer, "Importing", timeout)
    show_job(job, as_json=as_json)
    expect_done(job, label="Importing")


@devices.command("remove")
def remove_device(
    mac: MacArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Removes a device with its secrets, at once."""
    if not yes:
        typer.confirm(f"Remove {mac}? It must be onboarded again afterwards.", abort=True, err=True)
    with open_gateway() as gateway:
        answer = gateway.delete(device_path(mac))
    print_json(answer) if as_json else print_text(f"Removed {mac}.")
