"""The problem report: one zip of what is known of a device, without a password."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import pytest

from app import app
from chalicelib.domain.upload import Upload
from chalicelib.usecases.ports import Caller
from chalicelib.usecases.report_device import report_device
from local.gateway_events import HttpRequest, Match, build_event, read_answer
from tests.gateway import ELSEWHERE, MAC, OTHER_TENANT, TENANT, Phone, World, client

LOG = f"{MAC}-sys.log"
PATH = f"/v1/devices/{MAC}/report"


def report(world: World, tenant: str = TENANT, accept: str = "application/zip") -> zipfile.ZipFile:
    world.request("GET", "/healthz")  # sets the caller's address
    answer = client().http.get(PATH, headers={"Authorization": f"Bearer reader@{tenant}", "Accept": accept})
    assert (200, "application/zip", f'attachment; filename="report-{MAC}.zip"') == (
        answer.status_code,
        answer.headers["Content-Type"],
        answer.headers["Content-Disposition"],
    )
    return zipfile.ZipFile(io.BytesIO(answer.body))


def upload(phone: Phone, body: str | bytes, name: str = LOG) -> None:
    assert 201 == phone.world.request("PUT", f"{phone.base}{name}", headers={"Content-Type": "text/plain"}, body=body).status


@pytest.fixture
def signed_in(phone: Phone) -> Phone:
    return phone.enroll().sign_in()


def test_a_report_holds_all_that_is_known(world: World, signed_in: Phone) -> None:
    upload(signed_in, "one line\n")
    found = report(world)
    files = [f"{MAC}.boot", "y000000000066.cfg", f"{MAC}.cfg", "ca.pem"]

    assert found.testzip() is None
    assert ["device.json", "timeline.json", *(f"files/{name}" for name in files), f"uploads/{LOG}", "README.txt"] == (
        found.namelist()
    )
    assert b"one line\n" == found.read(f"uploads/{LOG}")


def test_a_report_tells_the_device_its_registration_and_its_history(world: World, signed_in: Phone) -> None:
    found = report(world)
    told = json.loads(found.read("device.json"))

    assert (MAC, "signed_in", signed_in.source) == (
        told["device"]["mac"],
        told["device"]["state"],
        told["registration"]["source"],
    )
    assert world.admin.get(f"/v1/devices/{MAC}/events?limit=200").json["items"] == json.loads(found.read("timeline.json"))


def test_the_files_are_those_that_an_administrator_may_see(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    found = report(world)
    shown = world.admin.get(f"/v1/devices/{MAC}/files").json["items"]

    assert [file["body"] for file in shown] == [found.read(f"files/{file['name']}").decode() for file in shown]


def secrets_of(phone: Phone) -> list[str]:
    settings = phone.settings()
    return [settings["account.1.password"], settings["static.security.user_password"].partition(":")[2]]


def test_lines_with_a_password_are_taken_out_of_uploads(world: World, signed_in: Phone) -> None:
    sip, admin = secrets_of(signed_in)
    upload(signed_in, f"before\naccount.1.password = {sip}\r\nbetween\n<x>{admin}</x>\nafter")
    lines = report(world).read(f"uploads/{LOG}").decode().splitlines()

    assert ["before", "between", "after"] == [line for line in lines if "***" not in line]
    assert 5 == len(lines)


def test_a_password_of_the_account_before_is_taken_out_too(world: World, phone: Phone) -> None:
    former = secrets_of(phone.enroll())[0]
    phone.sign_in()
    upload(phone, f"password {former}")

    assert former not in report(world).read(f"uploads/{LOG}").decode()


def test_the_token_is_masked_and_its_line_stays(world: World, signed_in: Phone) -> None:
    upload(signed_in, f"GET {signed_in.base}{MAC}.cfg 200\n")

    assert f"GET /d/***/lang_en/{MAC}.cfg 200\n" == report(world).read(f"uploads/{LOG}").decode()


def test_no_secret_of_the_device_is_anywhere_in_its_report(world: World, signed_in: Phone) -> None:
    upload(signed_in, signed_in.fetch().text)
    found = report(world)
    text = "".join(found.read(name).decode() for name in found.namelist())

    assert [] == [secret for secret in (*secrets_of(signed_in), signed_in.token) if secret in text]


def test_bytes_that_are_no_text_come_as_they_were(world: World, signed_in: Phone) -> None:
    upload(signed_in, "x")
    world.change(Upload, MAC, LOG, "0", data=base64.b64encode(bytes(range(256))).decode())

    assert bytes(range(256)) == report(world).read(f"uploads/{LOG}")


def test_a_packed_upload_is_left_out_and_named(world: World, signed_in: Phone) -> None:
    upload(signed_in, b"PK\x03\x04 packed")
    found = report(world)

    assert (False, True) == (f"uploads/{LOG}" in found.namelist(), LOG in found.read("README.txt").decode())


def test_what_would_make_the_report_too_large_is_left_out_and_named(world: World, signed_in: Phone) -> None:
    upload(signed_in, "x" * 100_000)
    caller = Caller(TENANT, "reader@example.com", frozenset())
    found = zipfile.ZipFile(io.BytesIO(report_device(world.gateway, caller, MAC, largest=100_000)))

    assert (False, True) == (f"uploads/{LOG}" in found.namelist(), LOG in found.read("README.txt").decode())


def test_a_device_without_contact_has_a_report_too(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    found = report(world)

    assert ["device.json", "timeline.json", "README.txt"] == found.namelist()
    assert "has not been seen yet" in found.read("README.txt").decode()


def test_another_claimant_learns_nothing_of_the_phone(world: World, signed_in: Phone) -> None:
    world.open_other_tenant()
    upload(signed_in, "ours\n")
    world.api(tenant=OTHER_TENANT).post("/v1/devices", {"mac": MAC})
    found = report(world, OTHER_TENANT)
    told = json.loads(found.read("device.json"))

    assert ["device.json", "timeline.json", "README.txt"] == found.namelist()
    assert (None, None, "added") == (told["registration"], told["device"]["user"], told["device"]["state"])
    assert ELSEWHERE not in found.read("timeline.json").decode()


def test_any_accept_will_do_but_one_that_names_another_type(world: World) -> None:
    world.admin.post("/v1/devices", {"mac": MAC})
    answer = world.admin.request("GET", PATH, Accept="application/json")

    assert "device.json" in report(world, accept="*/*").namelist()
    assert (400, "application/problem+json", True) == (
        answer.status,
        answer.headers["content-type"],
        "application/zip" in answer.json["detail"],
    )


def test_the_report_leaves_the_function_as_base64_and_the_local_front_as_a_zip(signed_in: Phone) -> None:
    upload(signed_in, "one line\n")
    headers = (("host", "localhost"), ("authorization", f"Bearer reader@{TENANT}"), ("accept", "*/*"))
    request = HttpRequest("GET", PATH, "", headers, b"", "198.51.100.7", "request-1")
    event = build_event(request, Match("/v1/devices/{mac}/report", {"mac": MAC}), app.api.binary_types)
    answer = app(event, None)

    assert answer["isBase64Encoded"] is True
    assert "device.json" in zipfile.ZipFile(io.BytesIO(read_answer(answer).body)).namelist()
