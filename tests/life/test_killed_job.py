"""The functions are killed in the middle of an import of ten thousand rows: it goes on, and no row is missed or done twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from local.demo.administrator import DEVELOPMENT_TENANT
from tests.life.household import new_gateway
from tests.life.phones import API_URL, SIGN_IN_URL, Office, opened
from tests.life.waiting import wait_until

pytestmark = [pytest.mark.life, pytest.mark.in_namespace]

ROWS = 10_000


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    yield from opened(new_gateway(tmp_path_factory.mktemp("gateway")))


def test_an_import_goes_on_after_the_functions_were_killed(office: Office) -> None:
    def job() -> dict[str, Any]:
        jobs = office.administrator.request("GET", "/v1/jobs")["items"]
        return next((item for item in jobs if item["type"] == "device_import"), {})

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send_table)
        wait_until(lambda: bool(job()) and job()["counts"]["rows"] > 0, "an import that is under way", job)
        with office.gateway.killed("functions"):
            pass
        sending.exception()
    wait_until(lambda: bool(job()["finished_at"]), "the end of the import", job)

    assert ("succeeded", {"rows": ROWS, "added": ROWS, "known": 0, "refused": 0, "not_tried": 0}) == (
        job()["state"],
        job()["counts"],
    )
    assert ["added"] == [line["type"] for line in office.history(f"0200{ROWS - 1:08x}")]


def send_table() -> None:
    """Its answer never comes, or tells of a job."""
    asked = {"grant_type": "client_credentials", "client_id": "development-admin", "client_secret": "development"}
    scope = {"scope": "api://sip-gateway/.default"}
    token = httpx.post(f"{SIGN_IN_URL}/{DEVELOPMENT_TENANT}/oauth2/v2.0/token", data={**asked, **scope}).json()["access_token"]
    table = "MAC id,Location\n" + "".join(f"0200{number:08x},Room {number}\n" for number in range(ROWS))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}
    httpx.post(f"{API_URL}/v1/devices/import", content=table, headers=headers, timeout=60)
