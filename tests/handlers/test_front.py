"""The HTTP front under real granian on free ports, in front of a small app; TLS is verified against the local authority."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from local.certificates import ServerIdentity, prepare_certificates
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "Zk3rT0kEn-Zk3rT0kEn_Zk3rT0kEn-Zk3rT0kEn_abc"
APP = """
import time
from chalice import Chalice, Rate, Response
from chalicelib.adapters.work.in_process import queue_of_process
from chalicelib.domain.job import JobPart

app = Chalice(app_name="front-test")
app.api.binary_types = ["application/octet-stream"]

@app.route("/healthz", methods=["GET", "HEAD"])
def healthz():
    return {"status": "ok"}

@app.route("/d/{p1}/{p2}", methods=["GET"])
def phone_file(p1, p2):
    return Response("file " + p2, headers={"Content-Type": "text/plain; charset=utf-8", "ETag": "x"})

@app.route("/echo", methods=["POST"], content_types=["*/*"])
def echo():
    request = app.current_request
    return {"length": len(request.raw_body), "kind": type(request.to_original_event()["body"]).__name__,
            "query": request.query_params.getlist("a") if request.query_params else [],
            "context": request.context["identity"], "id": app.lambda_context.aws_request_id == request.context["requestId"]}

@app.route("/slow/{name}")
def slow(name):
    before = app.current_request.uri_params["name"]
    time.sleep(0.01)
    return {"same": before == app.current_request.uri_params["name"] == name}

@app.route("/bytes")
def content():
    return Response(bytes(range(256)), headers={"Content-Type": "application/octet-stream"})

@app.route("/cookies")
def cookies():
    return Response("", headers={"Set-Cookie": ["a=1", "b=2"], "Content-Type": "text/html"})

@app.route("/unchanged")
def unchanged():
    return Response("", status_code=304, headers={"ETag": "x"})

@app.route("/broken")
def broken():
    return Response("x", status_code="not a number")

@app.route("/raises")
def raises():
    raise RuntimeError("a secret")

@app.schedule(Rate(1, unit=Rate.HOURS))
def sync(event):
    print("schedule heard", event.to_dict()["source"], flush=True)

@app.on_sqs_message(queue="work", batch_size=1)
def work(event):
    (heard,) = [record.body for record in event]
    print(f"work heard {heard}\\n", end="", flush=True)  # in one piece: two workers share the log
    if "bad" in heard:
        raise RuntimeError("no")

@app.route("/work/{name}", methods=["POST"], content_types=["*/*"])
def put_work(name):
    queue_of_process().put(JobPart(name))
    return {}
"""


@dataclass
class RunningFront:
    https_port: int
    http_port: int
    identity: ServerIdentity
    log: Path

    @property
    def https(self) -> str:
        return f"https://localhost:{self.https_port}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def client(self) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(self.identity.trust_anchor))
        return httpx.Client(verify=context, trust_env=False, timeout=20)

    def wait_for_log(self, text: str) -> str:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            log = self.log.read_text(encoding="utf-8")
            if text in log:
                return log
            time.sleep(0.02)
        raise AssertionError(f"{text!r} was not logged")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    folder = tmp_path_factory.mktemp("front")
    (folder / "front_test_app.py").write_text(APP)
    running = RunningFront(free_port(), free_port(), prepare_certificates(folder, "", datetime.now(UTC)), folder / "log")
    command = [
        *(sys.executable, "-m", "local.front", "--app", "front_test_app:app", "--schedule-seconds", "0.5"),
        *("--https-port", str(running.https_port), "--http-port", str(running.http_port)),
        *("--certificate", str(running.identity.certificate), "--key", str(running.identity.key)),
    ]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
    with (
        running.log.open("w") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,  # noqa: S603 - our own program
    ):
        running.wait_for_log("front_started")
        for port in (running.https_port, running.http_port):
            _wait_for_port(port)
        yield running
        process.terminate()
        assert 0 == process.wait(5)


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as raw:
            if raw.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens on {port}")


@pytest.fixture
def client(front: RunningFront) -> Iterator[httpx.Client]:
    with front.client() as client:
        yield client


def test_both_ports_answer(front: RunningFront, client: httpx.Client) -> None:
    assert [{"status": "ok"}] * 2 == [client.get(f"{url}/healthz").json() for url in (front.https, front.http)]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_phones_may_speak_tls_1_2(front: RunningFront, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=str(front.identity.trust_anchor))
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", front.https_port), 5) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as secure,
    ):
        assert {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name] == secure.version()


def test_head_has_the_headers_of_get_and_no_body(front: RunningFront, client: httpx.Client) -> None:
    head, get = client.head(f"{front.https}/healthz"), client.get(f"{front.https}/healthz")
    assert (200, b"", get.headers["content-length"]) == (head.status_code, head.content, head.headers["content-length"])


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/none"), ("GET", "/d/x"), ("GET", "//"), ("POST", "/healthz"), ("HEAD", "/bytes"), ("OPTIONS", "/healthz")],
)
def test_everything_unknown_gets_the_same_404(front: RunningFront, client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, front.https + path)
    expected = (404, b"" if method == "HEAD" else b"not found\n", "text/plain; charset=utf-8", "no-store", "10")
    names = ("content-type", "cache-control", "content-length")
    assert expected == (answer.status_code, answer.content, *(answer.headers[name] for name in names))


@pytest.mark.parametrize("name", ["805ec0123456:002", "805ec0123456%3A002"])
def test_a_port_is_one_segment(front: RunningFront, client: httpx.Client, name: str) -> None:
    assert "file 805ec0123456:002" == client.get(f"{front.https}/d/x/{name}").text


def test_binary_answers_arrive_as_bytes(front: RunningFront, client: httpx.Client) -> None:
    answer = client.get(f"{front.https}/bytes", headers={"Accept": "application/octet-stream"})
    assert bytes(range(256)) == answer.content


def test_every_cookie_arrives(front: RunningFront, client: httpx.Client) -> None:
    assert ["a=1", "b=2"] == client.get(f"{front.https}/cookies").headers.get_list("set-cookie")


def test_not_modified_has_no_body(front: RunningFront, client: httpx.Client) -> None:
    answer = client.get(f"{front.https}/unchanged")
    assert (304, b"", "x") == (answer.status_code, answer.content, answer.headers["etag"])


def test_a_request_arrives_as_from_api_gateway(front: RunningFront, client: httpx.Client) -> None:
    heard = client.post(f"{front.https}/echo?a=1&a=2", content=b"abc", headers={"User-Agent": "Yealink SIP"}).json()
    expected = {
        "length": 3,
        "kind": "str",
        "query": ["1", "2"],
        "context": {"sourceIp": "127.0.0.1", "userAgent": "Yealink SIP"},
        "id": True,
    }
    assert expected == heard


def test_a_binary_body_arrives_whole(front: RunningFront, client: httpx.Client) -> None:
    body = bytes(range(256)) * 2000
    heard = client.post(f"{front.https}/echo", content=body, headers={"Content-Type": "application/octet-stream"})
    assert len(body) == heard.json()["length"]


def test_a_body_over_10_mb_is_refused_however_it_is_sent(front: RunningFront, client: httpx.Client) -> None:
    body = b"x" * (10 * 1024 * 1024 + 1)
    chunks = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    assert [413, 413] == [client.post(f"{front.http}/echo", content=content).status_code for content in (body, chunks)]


def test_a_body_of_10_mb_is_taken(front: RunningFront, client: httpx.Client) -> None:
    assert 10 * 1024 * 1024 == client.post(f"{front.http}/echo", content=b"x" * (10 * 1024 * 1024)).json()["length"]


@pytest.mark.parametrize("length", [10_000, 60_000, 100_000, 600_000])
def test_an_absurd_path_or_header_harms_nobody(front: RunningFront, client: httpx.Client, length: int) -> None:
    with socket.create_connection(("127.0.0.1", front.http_port), 5) as raw:
        raw.settimeout(5)
        try:
            raw.sendall(b"GET /" + b"a" * length + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            status = raw.recv(12)
        except ConnectionError:
            status = b""  # hung up while we still sent
    assert status in {b"HTTP/1.1 404", b"HTTP/1.1 414", b"HTTP/1.1 431", b""}
    answer = client.get(f"{front.http}/{'b' * 8}", headers={"X-Long": "x" * 8_000})
    assert 404 == answer.status_code
    assert 200 == client.get(f"{front.http}/healthz").status_code


@pytest.mark.parametrize(
    "garbage", [b"\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", b"X" * 1000]
)
def test_garbage_harms_nobody(front: RunningFront, client: httpx.Client, garbage: bytes) -> None:
    for port in (front.http_port, front.https_port):
        with socket.create_connection(("127.0.0.1", port), 5) as raw:
            raw.sendall(garbage)
    assert 200 == client.get(f"{front.https}/healthz").status_code


def test_every_thread_sees_its_own_request(front: RunningFront, client: httpx.Client) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: client.get(f"{front.http}/slow/n{number}").json(), range(400)))
    assert [{"same": True}] * 400 == answers


def test_a_raising_view_is_a_500_that_keeps_its_secret(front: RunningFront, client: httpx.Client) -> None:
    answer = client.get(f"{front.http}/raises")
    assert 500 == answer.status_code
    assert "a secret" not in answer.text


def test_an_answer_that_is_none_is_a_502(front: RunningFront, client: httpx.Client) -> None:
    assert 502 == client.get(f"{front.http}/broken").status_code


def test_the_access_log_has_no_token_and_no_query(front: RunningFront, client: httpx.Client) -> None:
    client.get(f"{front.https}/d/{TOKEN}/y.cfg?code=hush")
    client.get(f"{front.https}/lang_de/{TOKEN}")
    client.get(f"{front.https}/after-the-tokens")
    log = front.wait_for_log("after-the-tokens")
    assert TOKEN not in log
    assert "hush" not in log
    events = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    (logged,) = [event for event in events if event.get("path") == "/d/…/y.cfg"]
    assert ("http_request", 200, "GET", "127.0.0.1") == tuple(logged[name] for name in ("event", "status", "method", "ip"))


def test_schedules_run(front: RunningFront) -> None:
    front.wait_for_log("schedule heard aws.events")
    front.wait_for_log('"event": "schedule_ran"')


def test_messages_are_taken_as_from_sqs_and_a_bad_one_harms_no_other(front: RunningFront, client: httpx.Client) -> None:
    client.post(f"{front.https}/work/bad")
    client.post(f"{front.https}/work/good")
    front.wait_for_log('work heard {"job_id": "good", "holder": ""}')
    log = front.wait_for_log('"event": "part_failed"')

    assert 1 == log.count('work heard {"job_id": "bad"')


def test_plain_http_is_on_loopback_alone(front: RunningFront) -> None:
    listening = Path("/proc/net/tcp").read_text(encoding="ascii")
    assert f"0100007F:{front.http_port:04X} 00000000:0000 0A" in listening
    assert f"00000000:{front.http_port:04X} 00000000:0000 0A" not in listening
