"""The synthesised region, deployed into an emulator of AWS with the real zip, and the journeys over HTTPS through it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from infra.account import Refused
from infra.deployment import roll_back, show_difference, templates_of
from infra.emulator.reduced import UNKNOWN
from infra.emulator.region import TENANT, EmulatedRegion, emulated_region
from local.identity_provider.accounts import Accounts
from local.identity_provider.grants import Grants
from local.identity_provider.keys import SigningKeyFile
from local.identity_provider.server import IdentityServer
from local.virtual_phone.http_client import HttpAnswer
from local.virtual_phone.provisioning import Provisioning
from local.virtual_phone.yealink import YealinkDevice

MAC = "805ec0123456"
USER = "anna@example.com"


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedRegion]:
    """Deployed once; the tests below follow one phone's life, in their order."""
    with pytest.MonkeyPatch.context() as patch, emulated_region(tmp_path_factory.mktemp("region")) as emulated:
        for name, value in emulated.emulator.environment.items():
            patch.setenv(name, value)
        deployed = EmulatedRegion(emulated.emulator, emulated.folder)
        deployed.synthesise()
        deployed.deploy()
        # The emulator's queues have its own address; the functions take none but AWS's.
        deployed.change_settings(SIPGW_WORK_QUEUE="sqs:https://sqs.eu-central-1.amazonaws.com/123456789012/sipgw-test-work")
        yield deployed


@pytest.fixture(scope="module")
def sign_in_url(region: EmulatedRegion, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The development identity provider, with the client secret that the region's Secrets Manager made up."""
    accounts = Accounts(region.secret("entra")["entra_client_secret"])
    grants = Grants(SigningKeyFile(tmp_path_factory.mktemp("idp") / "keys.json"), accounts, region.region.hosts.people)
    server = IdentityServer(("127.0.0.1", 0), grants)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    region.change_settings(SIPGW_ENTRA_URL=server.public_url, SIPGW_ENTRA_CLIENT_ID="sip-gateway")
    yield server.public_url
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Administrator:
    """Calls the API with a token of the role Gateway.Admin."""

    http: httpx.Client
    base: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"{self.base}{path}", json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def administrator(region: EmulatedRegion, sign_in_url: str) -> Iterator[Administrator]:
    form = {
        "grant_type": "client_credentials",
        "client_id": "development-admin",
        "client_secret": "development",
        "scope": "api://sip-gateway/.default",
    }
    token = httpx.post(f"{sign_in_url}/{TENANT}/oauth2/v2.0/token", data=form).json()["access_token"]
    with region.visitor(Authorization=f"Bearer {token}") as http:
        administrator = Administrator(http, f"https://{region.region.hosts.people}")
        administrator.ask("PATCH", "/v1/tenant", {"enabled": True})
        yield administrator


class PhoneHttp:
    """The virtual phone's HTTP, over the emulator's hosts."""

    def __init__(self, http: httpx.Client, user_agent: str) -> None:
        self.user_agent = user_agent
        self._http = http

    def get(self, url: str, *, etag: str = "", user_agent: str = "") -> HttpAnswer:
        headers = {"User-Agent": user_agent or self.user_agent} | ({"If-None-Match": etag} if etag else {})
        answer = self._http.get(url, headers=headers)
        kind = answer.headers.get("Content-Type", "")
        return HttpAnswer(answer.status_code, url, answer.content, kind, answer.headers.get("ETag", ""))

    def trust(self, certificates: tuple[bytes, ...]) -> None:
        assert certificates == ()  # a public authority signed the hosts' certificate


@pytest.fixture(scope="module")
def phone(region: EmulatedRegion, administrator: Administrator) -> Iterator[Provisioning]:
    administrator.ask("POST", "/v1/devices", {"mac": MAC, "location": "Lobby"})
    device = YealinkDevice(MAC)
    with region.visitor() as http:
        provisioning = Provisioning(device, PhoneHttp(http, device.http_user_agent))  # type: ignore[arg-type]  # its two methods
        provisioning.fetch(f"https://{region.region.hosts.phones}/")
        yield provisioning


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass
class Edge:
    """What an edge's agent asks the functions."""

    http: httpx.Client
    base: str

    def ask(self, path: str, **body: Any) -> Any:
        answer = self.http.post(f"{self.base}/edge/v1/{path}", json=body)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()


@pytest.fixture(scope="module")
def edge(region: EmulatedRegion) -> Iterator[Edge]:
    credential = region.secret("edge-credentials")["edge_credentials"]
    with region.visitor(Authorization=f"Bearer {credential}") as http:
        yield Edge(http, f"https://{region.region.hosts.people}")


def test_only_what_is_listed_was_left_out(tmp_path: Path, region: EmulatedRegion) -> None:
    again = EmulatedRegion(region.emulator, tmp_path)

    assert set(UNKNOWN) == again.synthesise()


def test_both_hosts_are_well(region: EmulatedRegion) -> None:
    with region.visitor() as http:
        for host in (region.region.hosts.phones, region.region.hosts.people):
            assert "ok" == http.get(f"https://{host}/healthz").json()["status"]


def test_nobody_calls_the_api_without_a_token(region: EmulatedRegion) -> None:
    with region.visitor() as http:
        assert 401 == http.get(f"https://{region.region.hosts.people}/v1/devices").status_code


def test_the_api_tells_the_hosts_and_addresses(region: EmulatedRegion, administrator: Administrator) -> None:
    network = administrator.ask("GET", "/v1/network")
    hosts = region.region.hosts

    assert (f"https://{hosts.phones}/", hosts.sip) == (network["provisioning_url"], network["sip_host"])
    assert network["egress_addresses"]


def test_stage_1_gives_the_phone_its_own_url_and_that_an_account(region: EmulatedRegion, phone: Provisioning) -> None:
    settings = phone.device_settings

    assert re.match(rf"https://{region.region.hosts.phones}/d/[\w-]{{43}}/lang_en/", settings.provisioning_url)
    assert settings.account is not None


def test_an_unchanged_file_is_not_sent_again(region: EmulatedRegion, phone: Provisioning) -> None:
    url = f"{phone.device_settings.provisioning_url}{MAC}.cfg"
    with region.visitor(**{"User-Agent": phone.device.http_user_agent}) as http:
        first = http.get(url)

        assert (200, 304) == (first.status_code, http.get(url, headers={"If-None-Match": first.headers["ETag"]}).status_code)


def test_the_phone_registers_and_enrolls_by_its_one_time_password(
    phone: Provisioning, administrator: Administrator, edge: Edge
) -> None:
    account = phone.device_settings.account
    assert account is not None
    credentials = edge.ask("credentials", username=account.auth_name)
    registered = {"id": "1", "type": "registered", "at": _now(), "username": account.auth_name}
    place = {"aor": credentials["aor"], "contact": "sip:phone@198.51.100.7", "source": "198.51.100.7:40001"}
    edge.ask("events", edge_id="edge-1", events=[{**registered, **place, "expires_seconds": 120}])
    otp = administrator.ask("POST", f"/v1/devices/{MAC}/otp")["otp"]
    verdict = edge.ask("feature-codes", username=account.auth_name, dialled=f"*55*{otp}")

    assert "enrolled" == verdict["outcome"]
    assert "enrolled" == administrator.ask("GET", f"/v1/devices/{MAC}")["state"]


def test_a_person_signs_in_and_pairs(
    region: EmulatedRegion, phone: Provisioning, administrator: Administrator, sign_in_url: str
) -> None:
    administrator.ask("PUT", "/v1/policies/Desk", {"sip_devices_for_calls": True})
    administrator.ask("PUT", f"/v1/users/{USER}", {"number": "+4930123456", "display_name": "Anna", "policy": "Desk"})
    people = f"https://{region.region.hosts.people}"
    with region.visitor() as browser, region.visitor(**{"User-Agent": phone.device.http_user_agent}) as screen:
        shown = screen.get(f"{phone.device_settings.provisioning_url}ui/sign-in").text
        code = re.search(r"\b[B-Z]{4}-[B-Z]{4}\b", shown)
        assert code is not None
        assert region.region.hosts.people in shown
        begun = browser.get(f"{people}/pair/sign-in")
        _keep_cookies(browser, begun)
        place = begun.headers["location"]
        assert place.startswith(sign_in_url)
        fields = {**dict(parse_qsl(urlsplit(place).query)), "login_user": USER, "login_tenant": TENANT}
        back = httpx.post(place.partition("?")[0], data=fields).headers["location"]
        _keep_cookies(browser, browser.get(back))
        page = browser.get(f"{people}/pair").text
        page = browser.post(f"{people}/pair/code", data={"form_token": _form_token(page), "code": code.group(0)}).text
        if "form_token" not in page:
            page = browser.get(f"{people}/pair").text
        done = browser.post(f"{people}/pair/confirm", data={"form_token": _form_token(page), "answer": "yes"})

    assert done.status_code < 400, done.text
    assert USER == administrator.ask("GET", f"/v1/devices/{MAC}")["user"]["upn"]


def _keep_cookies(browser: httpx.Client, answer: httpx.Response) -> None:
    """The emulator speaks plain HTTP, so a cookie that is Secure is kept by hand."""
    assert answer.status_code < 400, answer.text
    kept = dict(pair.split("=", 1) for pair in browser.headers.get("Cookie", "").split("; ") if pair)
    kept |= dict(line.split(";")[0].split("=", 1) for line in answer.headers.get_list("set-cookie"))
    assert kept
    browser.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())


def _form_token(page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found, page
    return found.group(1)


def test_the_phone_fetches_its_users_account(phone: Provisioning) -> None:
    before = phone.device_settings.account
    settings = phone.fetch(phone.device_settings.provisioning_url)

    assert settings.account is not None
    assert before != settings.account


def test_a_phones_upload_is_kept(region: EmulatedRegion, phone: Provisioning, administrator: Administrator) -> None:
    content = b"boot: 100 %\n" * 100  # ASCII: the emulator does not know binary media types
    with region.visitor(**{"User-Agent": phone.device.http_user_agent, "Content-Type": "text/plain"}) as http:
        answer = http.put(f"{phone.device_settings.provisioning_url}{MAC}-boot.log", content=content)

    assert 201 == answer.status_code
    assert content == administrator.http.get(f"{administrator.base}/v1/devices/{MAC}/uploads/{MAC}-boot.log").content


def test_the_schedule_runs(region: EmulatedRegion, administrator: Administrator) -> None:
    assert administrator.ask("GET", "/v1/tenant")["enabled"]
    event = {"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}, "resources": []}
    event |= {"account": "123456789012", "time": "2026-11-22T12:00:00Z", "region": "eu-central-1"}
    answer = region.client("lambda").invoke(FunctionName=f"{region.region.prefix}-sync-policy", Payload=json.dumps(event))

    assert {"tenants": 1} == json.loads(answer["Payload"].read())


def test_a_job_is_worked_on_by_the_function_behind_the_queue(administrator: Administrator) -> None:
    job = administrator.ask("POST", "/v1/sync")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and job["state"] not in {"succeeded", "failed"}:
        time.sleep(1)
        job = administrator.ask("GET", f"/v1/jobs/{job['id']}")

    assert "succeeded" == job["state"], job


def test_a_message_goes_from_topic_to_queue(region: EmulatedRegion, administrator: Administrator) -> None:
    """What an edge's queue gets, by way of a queue that listens to all edges."""
    sqs, sns = region.client("sqs"), region.client("sns")
    url = sqs.create_queue(QueueName="sipgw-test-edge-observer")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = next(item["TopicArn"] for item in sns.list_topics()["Topics"] if item["TopicArn"].endswith("-commands"))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    command = administrator.ask("POST", f"/v1/devices/{MAC}/restart")
    messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MaxNumberOfMessages=10)["Messages"]

    assert command["id"] in {json.loads(item["Body"])["id"] for item in messages}


def test_no_log_of_the_functions_has_the_phones_token(region: EmulatedRegion, phone: Provisioning) -> None:
    token = phone.device_settings.provisioning_url.split("/d/")[1].split("/")[0]
    logs = region.client("logs")
    lines = [
        event["message"]
        for group in logs.describe_log_groups()["logGroups"]
        for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
    ]

    assert len(lines) > 5
    assert [] == [line for line in lines if token in line]


def test_an_unchanged_region_is_left_alone(region: EmulatedRegion) -> None:
    said: list[str] = []
    show_difference(region.account, region.region, region.assembly, said.append)

    assert ["sipgw-test-data: no change", "sipgw-test: no change"] == said


def test_a_first_release_has_nothing_to_go_back_to(region: EmulatedRegion) -> None:
    with pytest.raises(Refused, match="no release before"):
        roll_back(region.account, region.region, print)


def test_one_command_brings_the_former_release_back(region: EmulatedRegion) -> None:
    gateway = next(item for item in templates_of(region.assembly, region.region) if not item.holds_data)
    path = next(region.assembly.glob("*gateway*.template.json"))
    template = json.loads(path.read_text())
    function = next(item for item in template["Resources"].values() if item["Type"] == "AWS::Lambda::Function")
    function["Properties"]["MemorySize"] = 1024
    path.write_text(json.dumps(template))
    for manifest in (region.assembly / "manifest.json", *region.assembly.glob("*.assets.json")):
        manifest.write_text(manifest.read_text().replace(gateway.key, f"second-{gateway.key}"))
    region.deploy()
    name = function["Properties"]["FunctionName"]
    functions = region.client("lambda")
    deployed = functions.get_function_configuration(FunctionName=name)["MemorySize"]
    roll_back(region.account, region.region, print)

    assert (1024, 512) == (deployed, functions.get_function_configuration(FunctionName=name)["MemorySize"])
