"""`sipgw devices history|report|files|uploads`, `sipgw audit`, `sipgw commands show`: what is on record."""

from pathlib import Path
from typing import Annotated

import typer

from cli.connection import JsonObject
from cli.devices import collect_pages, device_path, note_more
from cli.failures import Failure
from cli.gateway import open_gateway, segment
from cli.options import JsonOption, LimitOption, MacArgument, TimeoutOption, WaitOption
from cli.screen import print_fields, print_json, print_table, print_text, progress, rows_of
from cli.waiting import Waiting, expect_done, wait_for

commands = typer.Typer(help="Commands to devices, and what became of them.", no_args_is_help=True)

_AUDIT_COLUMNS = ("at", "type", "actor", "method", "path", "target", "address", "status", "outcome")


def show_history(mac: MacArgument, *, limit: LimitOption = None, as_json: JsonOption = False) -> None:
    """Shows what happened to a device."""
    with open_gateway() as gateway:
        answer = collect_pages(gateway, device_path(mac, "events"), {}, limit=limit)
    if as_json:
        print_json(answer)
        return
    print_table(answer["items"], ("at", "type", "detail"), empty="Nothing on record.")
    note_more(answer)


def save_report(
    mac: MacArgument,
    *,
    out: Annotated[Path | None, typer.Option(help="The file to write; report-MAC.zip by default.", dir_okay=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Saves the problem report of a device: timeline, last registration, last files, logs."""
    path = out or Path(f"report-{mac.replace(':', '-')}.zip")
    with open_gateway() as gateway, progress(f"Collecting the report of {mac}"):
        content = gateway.download(device_path(mac, "report"))
    _write(path, content)
    print_json({"file": str(path), "bytes": len(content)}) if as_json else print_text(f"Wrote {path} ({len(content)} bytes).")


def show_files(
    mac: MacArgument,
    *,
    out: Annotated[Path | None, typer.Option(help="Write the files below this folder.", file_okay=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Shows the files as the device gets them now, with their secrets masked."""
    with open_gateway() as gateway:
        answer = gateway.get(device_path(mac, "files"))
    if as_json:
        print_json(answer)
        return
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    for file in (row for row in rows_of(answer) if isinstance(row, dict)):
        name, body = str(file.get("name")), str(file.get("body"))
        if out is None:
            print_text(f"# {name}\n{body}")
        else:
            _write(out / Path(name).name, body.encode())
            print_text(f"Wrote {out / Path(name).name}.")


def show_uploads(
    mac: MacArgument,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One upload, printed as it came.")] = None,
    *,
    out: Annotated[Path | None, typer.Option(help="Write the upload to this file.", dir_okay=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Lists what a device has sent: logs, overrides, call lists; or prints one of them."""
    with open_gateway() as gateway:
        if name is not None:
            _show_upload(name, gateway.download(device_path(mac, "uploads", segment(name))), out)
            return
        answer = gateway.get(device_path(mac, "uploads"))
    print_json(answer) if as_json else print_table(rows_of(answer), empty="The device has sent nothing.")


def show_audit(*, limit: LimitOption = None, as_json: JsonOption = False) -> None:
    """Shows who changed what when, and every sign-in, newest first."""
    with open_gateway() as gateway:
        answer = collect_pages(gateway, "/v1/audit", {}, limit=limit)
    if as_json:
        print_json(answer)
        return
    print_table(answer["items"], _AUDIT_COLUMNS, empty="Nothing on record.")
    note_more(answer)


@commands.command("show")
def show_command(
    command_id: Annotated[str, typer.Argument(metavar="ID", help="As restart, resync or sign-out printed it.")],
    *,
    wait: WaitOption = False,
    timeout: TimeoutOption = 120,
    as_json: JsonOption = False,
) -> None:
    """Shows a command and its state: queued, sent, acknowledged, failed or expired."""
    with open_gateway() as gateway:
        command: JsonObject = gateway.get(f"/v1/commands/{segment(command_id)}")
        if wait:
            command = wait_for(gateway, command, Waiting("commands", f"Command {command_id}", timeout))
    print_json(command) if as_json else print_fields(command)
    if wait:
        expect_done(command, label=f"Command {command_id}")


def _show_upload(name: str, content: bytes, out: Path | None) -> None:
    """Printed where it is text, written where a file is named. Raises Failure for bytes that no terminal shows."""
    if out is not None:
        _write(out, content)
        print_text(f"Wrote {out} ({len(content)} bytes).")
        return
    try:
        print_text(content.decode())
    except UnicodeDecodeError:
        raise Failure(f"{name} is no text", advice=f"Write it to a file: add --out {name}") from None


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Failure(f"{path} cannot be written", detail=str(error)) from error
