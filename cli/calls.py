"""`sipgw users calls` and `sipgw users messages`: a user's call settings, and the lamp for their voicemail."""

from typing import Annotated

import typer

from cli.directory import UpnArgument
from cli.gateway import open_gateway, segment
from cli.options import JsonOption
from cli.screen import print_fields, print_json


def set_call_settings(  # noqa: PLR0913 - one parameter per setting
    upn: UpnArgument,
    *,
    do_not_disturb: Annotated[bool | None, typer.Option("--do-not-disturb/--disturb", help="As *30* and *31*.")] = None,
    forward_to: Annotated[str | None, typer.Option(help='Every call, at once: as *33*. "" for nowhere.')] = None,
    forward_on_timeout_to: Annotated[str | None, typer.Option(help='Unanswered calls: as *34*. "" for nowhere.')] = None,
    also_ring: Annotated[str | None, typer.Option(help='Rings with the phones: as *35*. "" for nothing.')] = None,
    ring_seconds: Annotated[int | None, typer.Option(help="How long it rings before an unanswered call goes on.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Shows a user's call settings, or changes the named ones; the others stay."""
    settings = {
        "do_not_disturb": do_not_disturb,
        "forward_to": forward_to,
        "forward_on_timeout_to": forward_on_timeout_to,
        "also_ring": also_ring,
        "ring_seconds": ring_seconds,
    }
    changes = {name: value for name, value in settings.items() if value is not None}
    path = f"/v1/users/{segment(upn)}/call-settings"
    with open_gateway() as gateway:
        answer = gateway.put(path, changes) if changes else gateway.get(path)
    print_json(answer) if as_json else print_fields(answer)


def set_message_waiting(
    upn: UpnArgument,
    *,
    new: Annotated[int | None, typer.Option(min=0, help="Messages not yet heard: the lamp is on.")] = None,
    old: Annotated[int | None, typer.Option(min=0, help="Messages heard and kept.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Shows how many voicemail messages wait for a user, or sets it as a voicemail system does."""
    changes = {name: value for name, value in {"new": new, "old": old}.items() if value is not None}
    path = f"/v1/users/{segment(upn)}/message-waiting"
    with open_gateway() as gateway:
        answer = gateway.put(path, changes) if changes else gateway.get(path)
    print_json(answer) if as_json else print_fields(answer)
