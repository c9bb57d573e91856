"""`sipgw devices otp`: one-time passwords, on the screen or as the technician's list."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, TextIO

import typer

from cli.connection import JsonObject
from cli.devices import DeviceState, collect_pages, device_path
from cli.failures import Failure, StrangeAnswer
from cli.gateway import Gateway, open_gateway
from cli.options import JsonOption, is_port, parse_mac
from cli.screen import print_json, print_note, print_table, print_text, progress

_AT_A_TIME = 50  # passwords in one request for a list


def issue_otp(
    macs: Annotated[
        list[str] | None, typer.Argument(metavar="[MAC]...", parser=parse_mac, help="One device or several.")
    ] = None,
    *,
    state: Annotated[DeviceState | None, typer.Option(help="Instead of MACs: every device in this state.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the technician's list (CSV) here.", dir_okay=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Issues a one-time password per device. It is shown this once; a former one is void."""
    if bool(macs) == (state is not None) or (out and as_json):
        raise typer.BadParameter("give MACs or --state, and --out or --json")
    with open_gateway() as gateway:
        wanted = macs or _in_state(gateway, str(state))
        if not wanted:
            print_note(f"No device is {state}.")
        elif out:
            _write_list(gateway, wanted, out)
        else:
            _show(gateway, wanted, as_json=as_json)


def _in_state(gateway: Gateway, state: str) -> list[str]:
    """Without ports, which are enrolled with their base."""
    found = collect_pages(gateway, "/v1/devices", {"state": state}, limit=None)["items"]
    return [mac for mac in (str(device["mac"]) for device in found) if not is_port(mac)]


def _show(gateway: Gateway, macs: Sequence[str], *, as_json: bool) -> None:
    issued: list[JsonObject] = []
    stopped: Failure | None = None
    with progress("Issuing", total=len(macs)) as (bar, task):
        for mac in macs:
            try:
                issued.append(_issue_one(gateway, mac))
            except Failure as failure:  # what was issued before is shown nowhere else
                stopped = failure
                break
            bar.advance(task)
    if as_json and issued:
        print_json(issued[0] if len(macs) == 1 else issued)
    elif issued:
        print_table([{**otp, "dial": f"*55*{otp.get('otp')}"} for otp in issued], ("mac", "otp", "dial", "expires_at"))
        print_note("Dial the feature code on the onboarded device before it expires. The password is not shown again.")
    if stopped:
        raise stopped


def _issue_one(gateway: Gateway, mac: str) -> JsonObject:
    answer = gateway.post(device_path(mac, "otp"))
    if not isinstance(answer.get("otp"), str):
        raise StrangeAnswer(f"The gateway's answer for {mac} holds no one-time password")
    return answer


def _write_list(gateway: Gateway, macs: Sequence[str], path: Path) -> None:
    """Every part is in the file before the next one is asked for: what was issued is not lost where the gateway goes away."""
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            path.chmod(0o600)
            written = _write_parts(gateway, macs, file)
    except FileExistsError:
        raise Failure(
            f"{path} is there already", advice="It may hold passwords that are still good; choose another name."
        ) from None
    except OSError as error:
        raise Failure(f"The list cannot be written to {path}", detail=str(error)) from error
    print_text(f"Wrote {path}: {written} one-time passwords, good for 24 hours. Hand it to the technician and delete it.")


def _write_parts(gateway: Gateway, macs: Sequence[str], file: TextIO) -> int:
    written = 0
    with progress("Issuing", total=len(macs)) as (bar, task):
        for part in _parts(macs):
            header, *rows = gateway.post_for_csv("/v1/devices/otp", {"macs": list(part)}).splitlines(keepends=True)
            file.writelines([header, *rows] if not written else rows)
            file.flush()
            written += len(part)
            bar.advance(task, len(part))
    return written


def _parts(macs: Sequence[str]) -> Iterator[Sequence[str]]:
    return (macs[start : start + _AT_A_TIME] for start in range(0, len(macs), _AT_A_TIME))
