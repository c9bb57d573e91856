"""Long work on the command line: followed to its end, listed, cancelled; and Ctrl-C says how to go on."""

from pathlib import Path
from typing import Any

import pytest

from cli.failures import NotDone
from cli.waiting import Waiting, wait_for
from tests.unit.cli.conftest import Sipgw
from tests.unit.cli.fake_gateway import FakeGateway

DONE = {"id": "j-1", "type": "device_import", "state": "succeeded", "counts": {"rows": 3}, "total": 3}


def row(number: int, result: str = "added") -> dict[str, Any]:
    return {"line": number, "mac": f"00000000000{number}", "result": result}


def test_an_import_that_takes_long_is_followed_and_every_page_of_its_rows_is_shown(
    gateway: FakeGateway, sipgw: Sipgw, tmp_path: Path
) -> None:
    file = tmp_path / "devices.csv"
    file.write_text("MAC id,Location\n")
    gateway.lay("POST /v1/devices/import", {"id": "j-1", "state": "running", "counts": {"rows": 0}, "total": 3}, status=202)
    gateway.lay("GET /v1/jobs/j-1", {**DONE, "rows": [row(1)], "next_cursor": "a"})
    gateway.lay("GET /v1/jobs/j-1", {**DONE, "rows": [row(2)], "next_cursor": "b"})
    gateway.lay("GET /v1/jobs/j-1", {**DONE, "rows": [row(3)], "next_cursor": None})
    outcome = sipgw("devices", "import", str(file))

    assert [["1", "000000000001", "added"], ["2", "000000000002", "added"], ["3", "000000000003", "added"]] == [
        outcome.row(str(number)) for number in (1, 2, 3)
    ]
    assert ({"limit": "1"}, {"cursor": "a"}, {"cursor": "b"}) == tuple(seen.query for seen in gateway.seen[1:])
    assert outcome.code == 0


def test_a_job_that_failed_exits_with_1_and_its_reason(gateway: FakeGateway, sipgw: Sipgw) -> None:
    failed = {"id": "j-1", "state": "failed", "counts": {"checked": 3}, "reason": "directory_away", "rows": []}
    gateway.lay("POST /v1/sync", {"id": "j-1", "state": "queued"}, status=202)
    gateway.lay("GET /v1/jobs/j-1", failed)
    outcome = sipgw("sync")

    assert (1, True) == (outcome.code, "directory_away" in outcome.stderr)


def test_jobs_are_listed(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/jobs", {"items": [DONE], "next_cursor": None})

    assert ["j-1", "device_import", "succeeded"] == sipgw("jobs", "list").row("j-1")[:3]


def test_jobs_of_a_type_are_listed(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("GET /v1/jobs", {"items": [DONE], "next_cursor": None})
    sipgw("jobs", "list", "--type", "device_import", "--state", "succeeded")

    assert {"type": "device_import", "state": "succeeded", "limit": "50"} == gateway.seen[-1].query


@pytest.mark.parametrize(("filters", "said"), [((), "No jobs"), (("--state", "failed"), "No such jobs")])
def test_an_empty_list_of_jobs_says_whether_any_were_left_out(
    gateway: FakeGateway, sipgw: Sipgw, filters: tuple[str, ...], said: str
) -> None:
    gateway.lay("GET /v1/jobs", {"items": [], "next_cursor": None})
    outcome = sipgw("jobs", "list", *filters)

    assert f"{said} in the last 30 days." in outcome.stdout + outcome.stderr


def test_a_cancelled_job_is_followed_to_its_end(gateway: FakeGateway, sipgw: Sipgw) -> None:
    gateway.lay("POST /v1/jobs/j-1/cancel", {"id": "j-1", "state": "running", "ending": "cancelled"}, status=202)
    gateway.lay("GET /v1/jobs/j-1", {"id": "j-1", "state": "cancelled", "counts": {"not_tried": 7}})
    outcome = sipgw("jobs", "cancel", "j-1")

    assert (0, ["counts.not", "tried", "7"]) == (outcome.code, outcome.row("counts"))


class Interrupted:
    """A gateway whose person presses Ctrl-C while it is asked."""

    def get(self, *_: str, **__: str) -> dict[str, Any]:
        raise KeyboardInterrupt


def test_ctrl_c_says_how_to_watch_or_cancel_the_job() -> None:
    with pytest.raises(NotDone) as stopped:
        wait_for(Interrupted(), {"id": "j-1", "state": "running"}, Waiting("jobs", "Signing in", 60))  # type: ignore[arg-type]

    assert ("jobs show j-1 --wait" in stopped.value.advice, "jobs cancel j-1" in stopped.value.advice) == (True, True)
