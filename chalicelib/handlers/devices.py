"""`/v1/devices`, `/v1/commands`: the inventory and what is done to its devices."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from chalice.app import Blueprint, Response

from chalicelib.contracts.codec import Problem
from chalicelib.contracts.edge import CommandType
from chalicelib.domain.command import Command
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.identifiers import parse_mac, parse_upn
from chalicelib.domain.job import JobState
from chalicelib.handlers.answers import NO_STORE, Headers, json_answer, page_answer
from chalicelib.handlers.api import ADMINS, READERS, TECHNICIANS, api_route, as_items, refuse_unknown
from chalicelib.handlers.changes import ApiCall, shown_once
from chalicelib.handlers.job_answers import import_row, job_answer
from chalicelib.handlers.requests import parse_body, parse_limit, parse_query, parse_text
from chalicelib.usecases.add_device import add_device
from chalicelib.usecases.answer_table import all_import_rows, import_devices
from chalicelib.usecases.change_device import DeviceChange, change_device
from chalicelib.usecases.device_view import show_device, show_device_in_detail
from chalicelib.usecases.history import list_events
from chalicelib.usecases.issue_otps import IssuedOtp, issue_otps
from chalicelib.usecases.keep_upload import list_uploads, load_upload
from chalicelib.usecases.list_devices import DeviceFilter, list_devices
from chalicelib.usecases.remove_device import remove_device
from chalicelib.usecases.report_device import report_device
from chalicelib.usecases.request_command import request_command, show_command
from chalicelib.usecases.show_files import show_files
from chalicelib.usecases.sign_in_account import sign_in_account
from chalicelib.usecases.sign_out_device import sign_out_device
from chalicelib.usecases.start_pairing import start_remote_pairing

blueprint = Blueprint(__name__)
ZIP = "application/zip"  # among the binary types of Chalice's own table
JSON_LINES = {"application/x-ndjson", "application/jsonl"}


@dataclass(frozen=True)
class NewDevice:
    """The body of `POST /v1/devices`."""

    mac: str
    location: str = ""


@dataclass(frozen=True)
class OtpRequest:
    """The body of `POST /v1/devices/otp`."""

    macs: tuple[str, ...]


@dataclass(frozen=True)
class SignInRequest:
    """The body of `POST /v1/devices/{mac}/sign-in`; without a user a pairing is started."""

    user: str | None = None


@dataclass(frozen=True)
class Nothing:
    """The body of a request that takes none."""


@api_route(blueprint, "GET", "/v1/devices", READERS)
def get_devices(call: ApiCall) -> Response:
    """A page of the inventory."""
    wanted = parse_query(DeviceFilter, call.http, "limit", "cursor")
    return page_answer(list_devices(call.gateway, call.caller, wanted, parse_limit(call.http), call.http.query.get("cursor")))


@api_route(blueprint, "POST", "/v1/devices", TECHNICIANS)
def post_device(call: ApiCall) -> Response:
    """Adds one device: 201, or 200 where the inventory had it."""
    new = parse_body(NewDevice, call.http)
    view, created = add_device(call.gateway, call.caller, parse_mac(new.mac), new.location)
    return json_answer(view, 201 if created else 200, Location=f"/v1/devices/{view.mac}")


@api_route(blueprint, "POST", "/v1/devices/import", TECHNICIANS)
def post_devices_import(call: ApiCall) -> Response:
    """Adds the devices of a CSV table or of JSON lines: 200 with all results, or 202 and a job that goes on."""
    text = parse_text(call.http)
    by_lines = _is_json_lines(call.http.headers.get("content-type", ""), text)
    job = import_devices(call.gateway, call.caller, text, by_lines=by_lines)
    if job.state is not JobState.SUCCEEDED:
        return job_answer(call, job)
    rows = all_import_rows(call.gateway, call.caller, job)
    return json_answer(as_items([import_row(row) for row in rows]), Location=f"/v1/jobs/{job.id}")


@api_route(blueprint, "POST", "/v1/devices/otp", TECHNICIANS)
def post_devices_otp(call: ApiCall) -> Response:
    """One-time passwords for many devices, as JSON or as the technician's CSV."""
    asked = parse_body(OtpRequest, call.http)
    if not asked.macs:
        raise BadRequest("Name at least one device.", (Problem("/macs", "must not be empty"),))
    macs = [parse_mac(mac, f"/macs/{index}") for index, mac in enumerate(asked.macs)]
    issued = issue_otps(call.gateway, call.caller, macs)
    if "text/csv" in call.http.headers.get("accept", ""):
        return shown_once(_otp_table(call, issued))
    return shown_once(json_answer(as_items([_otp(item) for item in issued])))


@api_route(blueprint, "GET", "/v1/devices/{mac}", READERS)
def get_device(call: ApiCall, mac: str) -> Response:
    """One device."""
    return json_answer(show_device_in_detail(call.gateway, call.caller, parse_mac(mac)))


@api_route(blueprint, "PATCH", "/v1/devices/{mac}", ADMINS)
def patch_device(call: ApiCall, mac: str) -> Response:
    """Location, language, blocked, overrides."""
    return json_answer(change_device(call.gateway, call.caller, parse_mac(mac), parse_body(DeviceChange, call.http)))


@api_route(blueprint, "DELETE", "/v1/devices/{mac}", ADMINS)
def delete_device(call: ApiCall, mac: str) -> Response:
    """Removes the device with its secrets, at once."""
    remove_device(call.gateway, call.caller, parse_mac(mac))
    return Response("", status_code=204, headers=dict(NO_STORE))


@api_route(blueprint, "POST", "/v1/devices/{mac}/otp", TECHNICIANS)
def post_device_otp(call: ApiCall, mac: str) -> Response:
    """A one-time password, shown once."""
    parse_body(Nothing, call.http)
    return shown_once(json_answer(_otp(issue_otps(call.gateway, call.caller, [parse_mac(mac)])[0]), 201))


@api_route(blueprint, "POST", "/v1/devices/{mac}/sign-in", ADMINS)
def post_device_sign_in(call: ApiCall, mac: str) -> Response:
    """A pairing for the device's user; or, with `user`, a common-area account signed in."""
    asked = parse_body(SignInRequest, call.http)
    if asked.user is None:
        offer = start_remote_pairing(call.gateway, call.caller, parse_mac(mac))
        answer = {
            "pairing_code": offer.code.reveal(),
            "authorization_url": offer.authorization_url,
            "expires_at": offer.expires_at,
        }
        return shown_once(json_answer(answer, 201))
    command_id = sign_in_account(call.gateway, call.caller, parse_mac(mac), parse_upn(asked.user, "/user"))
    return _command_answer(show_command(call.gateway, call.caller.tenant_id, command_id))


@api_route(blueprint, "POST", "/v1/devices/{mac}/sign-out", ADMINS)
def post_device_sign_out(call: ApiCall, mac: str) -> Response:
    """Signs the device out."""
    parse_body(Nothing, call.http)
    return _command_answer(sign_out_device(call.gateway, call.caller, parse_mac(mac)))


@api_route(blueprint, "POST", "/v1/devices/{mac}/restart", TECHNICIANS)
def post_device_restart(call: ApiCall, mac: str) -> Response:
    """The phone reboots."""
    parse_body(Nothing, call.http)
    return _command_answer(request_command(call.gateway, call.caller, parse_mac(mac), CommandType.RESTART))


@api_route(blueprint, "POST", "/v1/devices/{mac}/resync", TECHNICIANS)
def post_device_resync(call: ApiCall, mac: str) -> Response:
    """The phone fetches its files again."""
    parse_body(Nothing, call.http)
    return _command_answer(request_command(call.gateway, call.caller, parse_mac(mac), CommandType.RESYNC))


@api_route(blueprint, "GET", "/v1/devices/{mac}/events", READERS)
def get_device_events(call: ApiCall, mac: str) -> Response:
    """The device's history, newest first."""
    refuse_unknown(call.http, "limit", "cursor")
    page = list_events(call.gateway, call.caller, parse_mac(mac), parse_limit(call.http), call.http.query.get("cursor"))
    return page_answer(page, [{"at": item.at, "type": item.type, "id": item.id, "detail": item.detail} for item in page.items])


@api_route(blueprint, "GET", "/v1/devices/{mac}/files", READERS)
def get_device_files(call: ApiCall, mac: str) -> Response:
    """The files as the phone gets them now, secrets masked."""
    files = show_files(call.gateway, call.caller, parse_mac(mac))
    return json_answer(as_items([{"name": it.name, "content_type": it.content_type, "body": it.body} for it in files]))


@api_route(blueprint, "GET", "/v1/devices/{mac}/uploads", READERS)
def get_device_uploads(call: ApiCall, mac: str) -> Response:
    """What the phone has sent."""
    return json_answer(as_items(list_uploads(call.gateway, call.caller, parse_mac(mac))))


@api_route(blueprint, "GET", "/v1/devices/{mac}/uploads/{name}", READERS)
def get_device_upload(call: ApiCall, mac: str, name: str) -> Response:
    """One of them, as it came; a browser must not run it."""
    body = load_upload(call.gateway, call.caller, parse_mac(mac), name).decode("utf-8", "replace")
    headers: Headers = {**NO_STORE, "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return Response(body, headers=headers)


@api_route(blueprint, "GET", "/v1/devices/{mac}/report", READERS)
def get_device_report(call: ApiCall, mac: str) -> Response:
    """The problem report, a zip."""
    wanted = parse_mac(mac)
    body = report_device(call.gateway, call.caller, wanted)
    accepted = call.http.headers.get("accept", "").lower()
    if not any(kind in accepted for kind in (ZIP, "*/*")):  # else API Gateway would send the base64 of it
        raise BadRequest(f"The report is a file. Send the header Accept: {ZIP}.")
    disposition = f'attachment; filename="report-{wanted}.zip"'
    return Response(body, headers={**NO_STORE, "Content-Type": ZIP, "Content-Disposition": disposition})


@api_route(blueprint, "GET", "/v1/commands/{id}", READERS)
def get_command(call: ApiCall, **parameters: str) -> Response:
    """One command and its state."""
    return json_answer(_command(show_command(call.gateway, call.caller.tenant_id, parameters["id"])))


def _is_json_lines(content_type: str, text: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in JSON_LINES or text.lstrip("\ufeff \t\r\n").startswith("{")


def _otp(issued: IssuedOtp) -> dict[str, Any]:
    return {"mac": issued.mac, "otp": issued.otp.reveal(), "expires_at": issued.expires_at}


def _otp_table(call: ApiCall, issued: tuple[IssuedOtp, ...]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["MAC id", "Location", "Verification code", "Valid until"])
    for item in issued:
        location = show_device(call.gateway, call.caller, item.mac).location
        safe = f"'{location}" if location[:1] in "=+-@" else location  # a spreadsheet must not run it as a formula
        writer.writerow([item.mac, safe, item.otp.reveal(), item.expires_at.isoformat()])
    return Response(text.getvalue(), headers={**NO_STORE, "Content-Type": "text/csv; charset=utf-8"})


def _command(command: Command) -> dict[str, Any]:
    return {
        "id": command.id,
        "mac": command.mac,
        "type": command.type,
        "state": command.state,
        "created_at": command.created_at,
        "expires_at": command.expires_at,
        "finished_at": command.finished_at,
        "sip_status": command.sip_status or None,
        "requested_by": command.requested_by,
    }


def _command_answer(command: Command) -> Response:
    return json_answer(_command(command), 202, Location=f"/v1/commands/{command.id}")
