"""`sipgw devices restart|resync|sign-in|sign-out`: orders to a device, and what became of them."""

from pathlib import Path
from typing import Annotated

import typer

from cli.devices import device_path
from cli.gateway import Gateway, open_gateway
from cli.jobs import follow_job, show_job
from cli.options import JsonOption, MacArgument, TimeoutOption, WaitOption, parse_mac, read_upload
from cli.screen import cell, print_fields, print_json, print_note, print_text, progress
from cli.waiting import Waiting, expect_done, wait_for


def restart_device(
    mac: MacArgument, *, wait: WaitOption = False, timeout: TimeoutOption = 120, as_json: JsonOption = False
) -> None:
    """Restarts a device. For an offline one the command waits up to 24 hours."""
    _order(mac, "restart", timeout_seconds=timeout if wait else None, as_json=as_json)


def resync_device(
    mac: MacArgument, *, wait: WaitOption = False, timeout: TimeoutOption = 120, as_json: JsonOption = False
) -> None:
    """Makes a device fetch its files again."""
    _order(mac, "resync", timeout_seconds=timeout if wait else None, as_json=as_json)


def sign_out_device(
    mac: MacArgument, *, wait: WaitOption = False, timeout: TimeoutOption = 120, as_json: JsonOption = False
) -> None:
    """Signs a device's user out."""
    _order(mac, "sign-out", timeout_seconds=timeout if wait else None, as_json=as_json)


def _order(mac: str, verb: str, *, timeout_seconds: float | None, as_json: bool) -> None:
    label = f"{verb} of {mac}"
    with open_gateway() as gateway:
        outcome = gateway.post(device_path(mac, verb))
        if timeout_seconds is not None:
            outcome = wait_for(gateway, outcome, Waiting("commands", label, timeout_seconds))
    if as_json:
        print_json(outcome)
    else:
        print_text(f"{label}: {cell(outcome.get('state'))}")
        print_fields({name: outcome[name] for name in ("id", "sip_status", "expires_at") if outcome.get(name)})
    if timeout_seconds is not None:
        expect_done(outcome, label=label)


def sign_in_device(
    mac: Annotated[str | None, typer.Argument(metavar="[MAC]", parser=parse_mac, help="One enrolled device.")] = None,
    *,
    user: Annotated[str | None, typer.Option(help="UPN of a common-area account to sign in directly.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="Many: CSV with the header Username,HardwareId.", exists=True, dir_okay=False)
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="With --file: seconds to wait.")] = 600,
    as_json: JsonOption = False,
) -> None:
    """Starts the pairing of a device (prints code and URL), or signs common-area accounts in."""
    if (mac is None) == (file is None) or (file and user):
        raise typer.BadParameter("give one MAC (and --user for a common-area account), or --file")
    with open_gateway() as gateway:
        if file is not None:
            _sign_in_many(gateway, file, timeout_seconds=timeout, as_json=as_json)
            return
        answer = gateway.post(device_path(str(mac), "sign-in"), {"user": user} if user else {})
    if as_json:
        print_json(answer)
    elif answer.get("pairing_code"):
        print_fields({name: answer.get(name) for name in ("pairing_code", "authorization_url", "expires_at")})
        print_note("The user opens the URL, signs in and types the code.")
    else:
        print_text(f"{user or 'The user'} is being signed in on {mac}.")
        print_fields(answer)


def _sign_in_many(gateway: Gateway, file: Path, *, timeout_seconds: float, as_json: bool) -> None:
    content = read_upload(file)
    with progress(f"Sending {file.name}"):
        job = gateway.upload("/v1/sign-ins", content, content_type="text/csv; charset=utf-8")
    job = follow_job(gateway, job, "Signing in", timeout_seconds)
    show_job(job, as_json=as_json)
    expect_done(job, label="Signing in")
