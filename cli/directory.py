"""`sipgw policies …` and `sipgw users …`: who may use SIP devices, and who has which number."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.connection import JsonObject
from cli.devices import collect_pages, note_more
from cli.gateway import open_gateway, segment
from cli.jobs import show_row_results
from cli.options import JsonOption, LimitOption, read_upload
from cli.screen import print_fields, print_json, print_table, print_text

policies = typer.Typer(help="Calling policies.", no_args_is_help=True)
users = typer.Typer(help="Users: number, policy, devices.", no_args_is_help=True)

_POLICY_FIELDS = ("sip_devices_for_calls", "call_redirect", "voicemail", "common_area", "busy_on_busy")
_USER_FIELDS = ("number", "display_name", "policy")
_NamedPolicy = Annotated[str, typer.Argument(metavar="NAME", help="The policy's name, for example Global.")]
UpnArgument = Annotated[str, typer.Argument(metavar="UPN", help="For example ada@example.org.")]


class CallRedirect(StrEnum):
    """Whether a user may forward calls, as the contract spells it."""

    enabled = "enabled"
    disabled = "disabled"
    user_override = "user_override"


class Voicemail(StrEnum):
    """Whether a user has voicemail."""

    always_enabled = "always_enabled"
    always_disabled = "always_disabled"
    user_override = "user_override"


class BusyOnBusy(StrEnum):
    """What a second caller gets."""

    enabled = "enabled"
    disabled = "disabled"
    unanswered = "unanswered"
    user_override = "user_override"


def _changed(present: JsonObject, fields: tuple[str, ...], wishes: JsonObject) -> JsonObject:
    """The whole value to PUT: what is there, with what was asked for. PUT replaces, so nothing may be left out."""
    kept = {name: present[name] for name in fields if name in present}
    return {**kept, **{name: value for name, value in wishes.items() if value is not None}}


@policies.command("list")
def list_policies(*, limit: LimitOption = None, as_json: JsonOption = False) -> None:
    """Lists the calling policies."""
    with open_gateway() as gateway:
        answer = collect_pages(gateway, "/v1/policies", {}, limit=limit)
    if as_json:
        print_json(answer)
        return
    print_table(answer["items"], ("name", *_POLICY_FIELDS), empty="No policies.")
    note_more(answer)


@policies.command("show")
def show_policy(name: _NamedPolicy, *, as_json: JsonOption = False) -> None:
    """Shows one policy."""
    with open_gateway() as gateway:
        answer = gateway.get(f"/v1/policies/{segment(name)}")
    print_json(answer) if as_json else print_fields(answer)


@policies.command("set")
def set_policy(  # noqa: PLR0913 - one parameter per setting of a policy
    name: _NamedPolicy,
    *,
    sip_devices_for_calls: Annotated[bool | None, typer.Option(help="May its users use SIP devices.")] = None,
    common_area: Annotated[bool | None, typer.Option(help="Marks common-area accounts.")] = None,
    call_redirect: Annotated[CallRedirect | None, typer.Option(help="May its users forward calls.")] = None,
    voicemail: Annotated[Voicemail | None, typer.Option(help="Have its users voicemail.")] = None,
    busy_on_busy: Annotated[BusyOnBusy | None, typer.Option(help="Does a second caller hear busy.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Creates a policy or changes the named settings; the others stay."""
    wishes: JsonObject = {"call_redirect": call_redirect, "voicemail": voicemail, "busy_on_busy": busy_on_busy}
    wishes |= {"sip_devices_for_calls": sip_devices_for_calls, "common_area": common_area}
    _expect_some(wishes)
    path = f"/v1/policies/{segment(name)}"
    with open_gateway() as gateway:
        answer = gateway.put(path, _changed(gateway.find(path), _POLICY_FIELDS, wishes))
    print_json(answer) if as_json else print_fields(answer)


@policies.command("remove")
def remove_policy(
    name: _NamedPolicy,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Removes a policy. Its users are signed out by the next policy sync."""
    if not yes:
        typer.confirm(f"Remove {name}? Its users are signed out by the next policy sync.", abort=True, err=True)
    with open_gateway() as gateway:
        answer = gateway.delete(f"/v1/policies/{segment(name)}")
    print_json(answer) if as_json else print_text(f"Removed {name}.")


@policies.command("import")
def import_policies(
    file: Annotated[Path, typer.Argument(help="Get-CsTeamsCallingPolicy | ConvertTo-Json", exists=True, dir_okay=False)],
    *,
    as_json: JsonOption = False,
) -> None:
    """Imports calling policies as PowerShell exports them."""
    content = read_upload(file)
    with open_gateway() as gateway:
        answer = gateway.upload("/v1/policies/import", content, content_type="application/json")
    show_row_results(answer, as_json=as_json)


@users.command("list")
def list_users(*, limit: LimitOption = None, as_json: JsonOption = False) -> None:
    """Lists the tenant's users."""
    with open_gateway() as gateway:
        answer = collect_pages(gateway, "/v1/users", {}, limit=limit)
    if as_json:
        print_json(answer)
        return
    print_table([_row(user) for user in answer["items"]], ("upn", *_USER_FIELDS, "policy_known", "devices"), empty="No users.")
    note_more(answer)


def _row(user: Any) -> Any:
    """The user with their devices by MAC alone."""
    if not isinstance(user, dict):
        return user
    return {**user, "devices": [item.get("mac") if isinstance(item, dict) else item for item in user.get("devices") or []]}


@users.command("show")
def show_user(upn: UpnArgument, *, as_json: JsonOption = False) -> None:
    """Shows one user."""
    with open_gateway() as gateway:
        answer = gateway.get(f"/v1/users/{segment(upn)}")
    print_json(answer) if as_json else print_fields(answer)


@users.command("assign")
def assign_user(
    upn: UpnArgument,
    *,
    number: Annotated[str | None, typer.Option(help="Phone number, E.164: +49301234567.")] = None,
    policy: Annotated[str | None, typer.Option(help="A calling policy's name.")] = None,
    display_name: Annotated[str | None, typer.Option(help="The name that the device shows.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Gives a user a number, a policy, a display name, where the directory is local; the rest stays."""
    wishes = {"number": number, "policy": policy, "display_name": display_name}
    _expect_some(wishes)
    path = f"/v1/users/{segment(upn)}"
    with open_gateway() as gateway:
        answer = gateway.put(path, _changed(gateway.find(path), _USER_FIELDS, wishes))
    if as_json:
        print_json(answer)
    else:
        print_text(f"Saved {upn}.")
        print_fields(answer)


def _expect_some(wishes: JsonObject) -> None:
    if all(value is None for value in wishes.values()):
        raise typer.BadParameter("say what to change; see --help")
