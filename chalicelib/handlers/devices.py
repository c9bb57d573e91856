"""`/v1/devices`, `/v1/commands`: the inventory and what is done to its devices."""

from __future__ import annotations

import csv
import io

from chalice.app import Blueprint, Response

from chalicelib.contracts.codec import Problem, format_time
from chalicelib.contracts.edge import CommandType
from chalicelib.domain.command import Command
from chalicelib.domain.errors import (
    BadRequest,
    IllegalMove,
    NotCommonArea,
    NotFound,
    NotSeenYet,
    TenantDisabled,
    UserUnknown,
    UserWithoutNumber,
    UserWithoutPolicy,
)
from chalicelib.domain.history import DeviceEvent
from chalicelib.domain.identifiers import parse_mac, parse_upn
from chalicelib.domain.job import JobState
from chalicelib.handlers.answers import NO_STORE, Headers, json_answer, page_answer
from chalicelib.handlers.api import ADMINS, READERS, TECHNICIANS, api_route
from chalicelib.handlers.changes import ApiCall, shown_once
from chalicelib.handlers.contract import CSV, NO_FIELDS, OCTETS, ZIP, Answer, Body, Contract, Nothing, PageQuery
from chalicelib.handlers.job_answers import import_row_view, job_answer
from chalicelib.handlers.requests import parse_body, parse_limit, parse_query, parse_text
from chalicelib.handlers.shapes import List, shown, whole
from chalicelib.handlers.shapes.devices import (
    CommandView,
    DeviceLines,
    DeviceTable,
    EventView,
    FileName,
    FileView,
    NewDevice,
    OtpRequest,
    OtpTable,
    OtpView,
    PairingView,
    ReportFile,
    SignInRequest,
    UploadFile,
    UploadText,
)
from chalicelib.handlers.shapes.jobs import ImportRowView, JobWithRows
from chalicelib.usecases.add_device import add_device
from chalicelib.usecases.answer_table import all_import_rows, import_devices
from chalicelib.usecases.change_device import DeviceChange, change_device
from chalicelib.usecases.device_view import DeviceDetail, DeviceView, show_device, show_device_in_detail
from chalicelib.usecases.history import list_events
from chalicelib.usecases.issue_otps import IssuedOtp, issue_otps
from chalicelib.usecases.keep_upload import KeptUpload, list_uploads, load_upload
from chalicelib.usecases.list_devices import DeviceFilter, list_devices
from chalicelib.usecases.remove_device import remove_device
from chalicelib.usecases.report_device import report_device
from chalicelib.usecases.request_command import request_command, show_command
from chalicelib.usecases.show_files import show_files
from chalicelib.usecases.sign_in_account import sign_in_account
from chalicelib.usecases.sign_out_device import sign_out_device
from chalicelib.usecases.start_pairing import start_remote_pairing

blueprint = Blueprint(__name__)
JSON_LINES = ("application/x-ndjson", "application/jsonl")


_LOCATION = ("Location",)
ADD_DEVICE = Contract(
    answers=(
        Answer(DeviceView, 201, headers=_LOCATION, description="The device is new in the inventory."),
        Answer(DeviceView, 200, headers=_LOCATION, description="The inventory had it already."),
    ),
    bodies=(Body(NewDevice),),
    problems=(NotFound,),  # the base of a port
)
IMPORT = Contract(
    answers=(
        Answer(List[ImportRowView], headers=_LOCATION, description="Every row is dealt with."),
        Answer(JobWithRows, 202, headers=_LOCATION, description="A long table: a job goes on with it."),
    ),
    bodies=(Body(DeviceTable, CSV), *(Body(DeviceLines, kind) for kind in JSON_LINES)),
)
ISSUE_OTP = Contract((Answer(OtpView, 201),), NO_FIELDS, problems=(IllegalMove,))
ISSUE_OTPS = Contract(
    answers=(Answer(List[OtpView]), Answer(OtpTable, media_type=CSV)),
    bodies=(Body(OtpRequest),),
    problems=(NotFound, IllegalMove),
)
CHANGE_DEVICE = Contract((Answer(DeviceDetail),), (Body(DeviceChange, required=False),), problems=(IllegalMove,))
SIGN_IN = Contract(
    answers=(
        Answer(PairingView, 201, description="A pairing was started."),
        Answer(CommandView, 202, headers=_LOCATION, description="The account is signed in; the command tells the phone."),
    ),
    bodies=(Body(SignInRequest, required=False),),
    problems=(IllegalMove, NotSeenYet, TenantDisabled, UserUnknown, UserWithoutNumber, UserWithoutPolicy, NotCommonArea),
)
COMMAND = Contract((Answer(CommandView, 202, headers=_LOCATION),), NO_FIELDS, problems=(IllegalMove, NotSeenYet))
UPLOAD = Contract(
    (Answer(UploadText, media_type="text/plain"), Answer(UploadFile, media_type=OCTETS, headers=("Content-Disposition",))),
    path={"name": FileName},
)
REPORT = Contract((Answer(ReportFile, media_type=ZIP, headers=("Content-Disposition",)),))


@api_route(blueprint, "GET", "/v1/devices", READERS, Contract((Answer(List[DeviceView]),), queries=(DeviceFilter, PageQuery)))
def get_devices(call: ApiCall) -> Response:
    """A page of the inventory."""
    wanted = parse_query(DeviceFilter, call.http, "limit", "cursor")
    return page_answer(list_devices(call.gateway, call.caller, wanted, parse_limit(call.http), call.http.query.get("cursor")))


@api_route(blueprint, "POST", "/v1/devices", TECHNICIANS, ADD_DEVICE)
def post_device(call: ApiCall) -> Response:
    """Adds one device: 201, or 200 where the inventory had it."""
    new = parse_body(NewDevice, call.http)
    view, created = add_device(call.gateway, call.caller, parse_mac(new.mac), new.location)
    return json_answer(view, 201 if created else 200, Location=f"/v1/devices/{view.mac}")


@api_route(blueprint, "POST", "/v1/devices/import", TECHNICIANS, IMPORT)
def post_devices_import(call: ApiCall) -> Response:
    """Adds the devices of a CSV table or of JSON lines: 200 with all results, or 202 and a job that goes on."""
    text = parse_text(call.http)
    by_lines = _is_json_lines(call.http.headers.get("content-type", ""), text)
    job = import_devices(call.gateway, call.caller, text, by_lines=by_lines)
    if job.state is not JobState.SUCCEEDED:
        return job_answer(call, job)
    rows = all_import_rows(call.gateway, call.caller, job)
    return json_answer(whole([import_row_view(row) for row in rows]), Location=f"/v1/jobs/{job.id}")


@api_route(blueprint, "POST", "/v1/devices/otp", TECHNICIANS, ISSUE_OTPS)
def post_devices_otp(call: ApiCall) -> Response:
    """One-time passwords for many devices, as JSON or as the technician's CSV."""
    asked = parse_body(OtpRequest, call.http)
    if not asked.macs:
        raise BadRequest("Name at least one device.", (Problem("/macs", "must not be empty"),))
    macs = [parse_mac(mac, f"/macs/{index}") for index, mac in enumerate(asked.macs)]
    issued = issue_otps(call.gateway, call.caller, macs)
    if "text/csv" in call.http.headers.get("accept", ""):
        return shown_once(_otp_table(call, issued))
    return shown_once(json_answer(whole([_otp(item) for item in issued])))


@api_route(blueprint, "GET", "/v1/devices/{mac}", READERS, Contract((Answer(DeviceDetail),)))
def get_device(call: ApiCall, mac: str) -> Response:
    """One device."""
    return json_answer(show_device_in_detail(call.gateway, call.caller, parse_mac(mac)))


@api_route(blueprint, "PATCH", "/v1/devices/{mac}", ADMINS, CHANGE_DEVICE)
def patch_device(call: ApiCall, mac: str) -> Response:
    """Location, language, blocked, overrides."""
    return json_answer(change_device(call.gateway, call.caller, parse_mac(mac), parse_body(DeviceChange, call.http)))


@api_route(blueprint, "DELETE", "/v1/devices/{mac}", ADMINS, Contract((Answer(status=204),)))
def delete_device(call: ApiCall, mac: str) -> Response:
    """Removes the device with its secrets, at once."""
    remove_device(call.gateway, call.caller, parse_mac(mac))
    return Response("", status_code=204, headers=dict(NO_STORE))


@api_route(blueprint, "POST", "/v1/devices/{mac}/otp", TECHNICIANS, ISSUE_OTP)
def post_device_otp(call: ApiCall, mac: str) -> Response:
    """A one-time password, shown once."""
    parse_body(Nothing, call.http)
    return shown_once(json_answer(_otp(issue_otps(call.gateway, call.caller, [parse_mac(mac)])[0]), 201))


@api_route(blueprint, "POST", "/v1/devices/{mac}/sign-in", ADMINS, SIGN_IN)
def post_device_sign_in(call: ApiCall, mac: str) -> Response:
    """A pairing for the device's user; or, with `user`, a common-area account signed in."""
    asked = parse_body(SignInRequest, call.http)
    if asked.user is None:
        offer = start_remote_pairing(call.gateway, call.caller, parse_mac(mac))
        return shown_once(json_answer(shown(PairingView, offer, pairing_code=offer.code.reveal()), 201))
    command_id = sign_in_account(call.gateway, call.caller, parse_mac(mac), parse_upn(asked.user, "/user"))
    return _command_answer(show_command(call.gateway, call.caller.tenant_id, command_id))


@api_route(blueprint, "POST", "/v1/devices/{mac}/sign-out", ADMINS, COMMAND)
def post_device_sign_out(call: ApiCall, mac: str) -> Response:
    """Signs the device out."""
    parse_body(Nothing, call.http)
    return _command_answer(sign_out_device(call.gateway, call.caller, parse_mac(mac)))


@api_route(blueprint, "POST", "/v1/devices/{mac}/restart", TECHNICIANS, COMMAND)
def post_device_restart(call: ApiCall, mac: str) -> Response:
    """The phone reboots."""
    parse_body(Nothing, call.http)
    return _command_answer(request_command(call.gateway, call.caller, parse_mac(mac), CommandType.RESTART))


@api_route(blueprint, "POST", "/v1/devices/{mac}/resync", TECHNICIANS, COMMAND)
def post_device_resync(call: ApiCall, mac: str) -> Response:
    """The phone fetches its files again."""
    parse_body(Nothing, call.http)
    return _command_answer(request_command(call.gateway, call.caller, parse_mac(mac), CommandType.RESYNC))


@api_route(blueprint, "GET", "/v1/devices/{mac}/events", READERS, Contract((Answer(List[EventView]),), queries=(PageQuery,)))
def get_device_events(call: ApiCall, mac: str) -> Response:
    """The device's history, newest first."""
    page = list_events(call.gateway, call.caller, parse_mac(mac), parse_limit(call.http), call.http.query.get("cursor"))
    return page_answer(page, _event)


@api_route(blueprint, "GET", "/v1/devices/{mac}/files", READERS, Contract((Answer(List[FileView]),)))
def get_device_files(call: ApiCall, mac: str) -> Response:
    """The files as the phone gets them now, secrets masked."""
    files = show_files(call.gateway, call.caller, parse_mac(mac))
    return json_answer(whole([shown(FileView, file) for file in files]))


@api_route(blueprint, "GET", "/v1/devices/{mac}/uploads", READERS, Contract((Answer(List[KeptUpload]),)))
def get_device_uploads(call: ApiCall, mac: str) -> Response:
    """What the phone has sent."""
    return json_answer(whole(list_uploads(call.gateway, call.caller, parse_mac(mac))))


@api_route(blueprint, "GET", "/v1/devices/{mac}/uploads/{name}", READERS, UPLOAD)
def get_device_upload(call: ApiCall, mac: str, name: str) -> Response:
    """One of them, as it came; a browser must not run it."""
    body = load_upload(call.gateway, call.caller, parse_mac(mac), name)
    headers: Headers = {**NO_STORE, "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    try:
        return Response(body.decode(), headers=headers)
    except UnicodeDecodeError:
        return _file_answer(call, body, OCTETS, name.lower(), headers)


@api_route(blueprint, "GET", "/v1/devices/{mac}/report", READERS, REPORT)
def get_device_report(call: ApiCall, mac: str) -> Response:
    """The problem report, a zip."""
    wanted = parse_mac(mac)
    body = report_device(call.gateway, call.caller, wanted)
    return _file_answer(call, body, ZIP, f"report-{wanted}.zip", NO_STORE)


@api_route(blueprint, "GET", "/v1/commands/{id}", READERS, Contract((Answer(CommandView),)))
def get_command(call: ApiCall, **parameters: str) -> Response:
    """One command and its state."""
    return json_answer(_command(show_command(call.gateway, call.caller.tenant_id, parameters["id"])))


def _file_answer(call: ApiCall, body: bytes, media_type: str, name: str, headers: Headers) -> Response:
    accepted = call.http.headers.get("accept", "").lower()
    if not any(kind in accepted for kind in (media_type, "*/*")):  # else API Gateway would send the base64 of it
        raise BadRequest(f"This is a file. Send the header Accept: {media_type}.")
    disposition = f'attachment; filename="{name}"'
    return Response(body, headers={**headers, "Content-Type": media_type, "Content-Disposition": disposition})


def _is_json_lines(content_type: str, text: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in JSON_LINES or text.lstrip("\ufeff \t\r\n").startswith("{")


def _otp(issued: IssuedOtp) -> OtpView:
    return shown(OtpView, issued, otp=issued.otp.reveal())


def _event(event: DeviceEvent) -> EventView:
    return shown(EventView, event)


def _otp_table(call: ApiCall, issued: tuple[IssuedOtp, ...]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["MAC id", "Location", "Verification code", "Valid until"])
    for item in issued:
        location = show_device(call.gateway, call.caller, item.mac).location
        safe = f"'{location}" if location[:1] in "=+-@" else location  # a spreadsheet must not run it as a formula
        writer.writerow([item.mac, safe, item.otp.reveal(), format_time(item.expires_at.replace(microsecond=0))])
    return Response(text.getvalue(), headers={**NO_STORE, "Content-Type": "text/csv; charset=utf-8"})


def _command(command: Command) -> CommandView:
    return shown(CommandView, command, sip_status=command.sip_status or None)


def _command_answer(command: Command) -> Response:
    return json_answer(_command(command), 202, Location=f"/v1/commands/{command.id}")
