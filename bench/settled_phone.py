"""A settled phone's request as a function gets it, and what the function asks of AWS: the region's secrets, the phone's record.

Both are answered as Secrets Manager and DynamoDB do, over plain HTTP on loopback: the function is measured, not a database.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from chalicelib.adapters.records import item_of
from chalicelib.domain.directory import SignedInUser
from chalicelib.domain.identifiers import Language, Mac, TenantId, Upn
from chalicelib.domain.installation import Account, Installation, Profile, Stage
from chalicelib.domain.keys import Keys, installation_id_of
from chalicelib.domain.secret import Secret
from local.gateway_events import HttpRequest, Match, build_event
from tests.ports import free_port

USER_AGENT = "Yealink SIP-T46S 66.86.0.15 80:5e:c0:12:34:56"
_MAC = Mac("805ec0123456")
_FIRMWARE = "66.86.0.15"


class SettledPhone:
    """Secrets and record are at `services_url` as long as the context is open."""

    def __init__(self, region_key: str, secrets: dict[str, Any]) -> None:
        keys = Keys(Secret(region_key))
        self._token = keys.token("seed").reveal()
        self._answers = {
            "DynamoDB_20120810.GetItem": json.dumps({"Item": _attributes(_installation(self._token))}).encode(),
            "secretsmanager.GetSecretValue": json.dumps({"SecretString": json.dumps(secrets)}).encode(),
        }

    def file_request(self) -> dict[str, Any]:
        """The event of API Gateway for the file with the phone's account."""
        file_name = f"{_MAC}.cfg"
        match = Match("/d/{p2}/{p3}/{p4}", {"p2": self._token, "p3": "lang_de", "p4": file_name})
        path = f"/d/{self._token}/lang_de/{file_name}"
        return build_event(HttpRequest("GET", path, headers=(("user-agent", USER_AGENT),)), match, ())

    def __enter__(self) -> Self:
        answers = self._answers

        class Services(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                answer = answers[self.headers["X-Amz-Target"]]
                self.send_response(200)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Nothing: the figures are what is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", free_port()), Services)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.services_url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


def _installation(token: str) -> Installation:
    """Signed in, with its newest files fetched: the request reads this record and writes nothing."""
    return Installation(
        id=installation_id_of(token),
        mac=_MAC,
        seed="seed",
        vendor="yealink",
        model="T46S",
        firmware=_FIRMWARE,
        language=Language.DE,
        address="203.0.113.7",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        account=Account(2, "+4989123401", may_call=True),
        stage=Stage.ACTIVE,
        tenant_id=TenantId("d0000000-0000-4000-8000-000000000001"),
        profile=Profile(SignedInUser(Upn("anna@example.com"), "Anna Berg", "+4989123401"), time_zone="Europe/Berlin"),
        fetched_version=1,
        holds_account=True,
    )


def _attributes(installation: Installation) -> dict[str, dict[str, str]]:
    """The record as DynamoDB gives it."""
    item = item_of(installation)
    texts = {"partition": item.partition, "sort": item.sort, "kind": item.kind, "data": item.data}
    return {name: {"S": text} for name, text in texts.items()} | {"version": {"N": str(item.version)}}
