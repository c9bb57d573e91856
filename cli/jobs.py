"""`sipgw jobs list|show|cancel`: long work of the gateway; and how other commands follow theirs to its end, with every row."""

from enum import StrEnum
from typing import Annotated

import typer

from cli.connection import JsonObject
from cli.failures import NotDone
from cli.gateway import Gateway, open_gateway, segment
from cli.options import JsonOption, LimitOption, TimeoutOption, WaitOption
from cli.screen import print_fields, print_json, print_note, print_table, progress, rows_of
from cli.waiting import Waiting, expect_done, wait_for


class JobType(StrEnum):
    """What a job does, as the contract spells it."""

    policy_sync = "policy_sync"
    sign_ins = "sign_ins"
    device_import = "device_import"
    device_sweep = "device_sweep"


class JobState(StrEnum):
    """Queued, running, and the three ends."""

    queued = "queued"
    running = "running"
    succeeded = "succeeded"
    failed = "failed"
    cancelled = "cancelled"


jobs = typer.Typer(help="Long work of the gateway: policy syncs, bulk sign-ins, imports.", no_args_is_help=True)

JobArgument = Annotated[str, typer.Argument(metavar="ID", help="As `jobs list` shows it.")]

_COLUMNS = ("id", "type", "state", "created_at", "finished_at", "requested_by", "total", "counts", "reason")
_BAD_RESULTS = {"error", "failed", "rejected", "invalid", "refused", "not_tried"}


@jobs.command("list")
def list_jobs(
    *,
    kind: Annotated[JobType | None, typer.Option("--type", help="Only these.")] = None,
    state: Annotated[JobState | None, typer.Option(help="Only these.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Lists the tenant's jobs, newest first: the last 50, unless told."""
    with open_gateway() as gateway, progress("Loading"):
        answer = gateway.collect("/v1/jobs", {"type": kind, "state": state}, limit=limit, on_page=lambda _: None)
    if as_json:
        print_json(answer)
        return
    print_table(
        answer["items"],
        _COLUMNS,
        empty="No such jobs in the last 30 days." if kind or state else "No jobs in the last 30 days.",
    )
    if answer.get("next_cursor"):
        print_note("There are more; raise --limit.")


@jobs.command("show")
def show_one_job(
    job_id: JobArgument, *, wait: WaitOption = False, timeout: TimeoutOption = 600, as_json: JsonOption = False
) -> None:
    """Shows a job with all of its rows; with --wait its progress until it ends."""
    with open_gateway() as gateway:
        job = gateway.get(_path(job_id))
        job = follow_job(gateway, job, "Job", timeout) if wait else collect_rows(gateway, job)
    show_job(job, as_json=as_json)
    if wait:
        expect_done(job, label="Job")


@jobs.command("cancel")
def cancel_job(job_id: JobArgument, *, timeout: TimeoutOption = 60, as_json: JsonOption = False) -> None:
    """Ends a job before its next row, and shows which rows were not tried. What is done stays done."""
    with open_gateway() as gateway:
        job = follow_job(gateway, gateway.post(f"{_path(job_id)}/cancel"), "Cancelling", timeout)
    print_json(job) if as_json else print_fields(_without_rows(job))


def follow_job(gateway: Gateway, job: JsonObject, label: str, timeout_seconds: float) -> JsonObject:
    """The job with all of its rows, at its end or when the time is up; its progress is shown meanwhile."""
    return collect_rows(gateway, wait_for(gateway, job, Waiting("jobs", label, timeout_seconds)))


def collect_rows(gateway: Gateway, job: JsonObject) -> JsonObject:
    """The job with the rows of all pages."""
    rows, cursor = list(job.get("rows") or []), job.get("next_cursor")
    while isinstance(cursor, str) and cursor:
        page = gateway.get(_path(str(job["id"])), cursor=cursor)
        rows += page.get("rows") or []
        cursor = page.get("next_cursor")
    return {**job, "rows": rows, "next_cursor": None}


def show_job(job: JsonObject, *, as_json: bool) -> None:
    """A job with its rows where it has any, else with its counts."""
    if as_json:
        print_json(job)
    elif rows := rows_of(job):
        show_row_results({"rows": rows}, as_json=False)
    else:
        print_fields(_without_rows(job))


def show_row_results(answer: JsonObject, *, as_json: bool) -> None:
    """The table of results. Raises NotDone where a row was refused or not tried."""
    rows = rows_of(answer)
    if as_json:
        print_json(answer)
    else:
        print_table(rows, empty="The gateway reported no rows.")
    refused = [row for row in rows if isinstance(row, dict) and _is_refused(row)]
    if refused:
        raise NotDone(f"{len(refused)} of {len(rows)} rows were refused", advice="Correct those rows and send the file again.")


def _is_refused(row: JsonObject) -> bool:
    outcome = {str(row.get(key)).lower() for key in ("result", "outcome", "status", "state")}
    return bool(row.get("error") or row.get("errors") or outcome & _BAD_RESULTS)


def _without_rows(job: JsonObject) -> JsonObject:
    return {name: value for name, value in job.items() if name not in {"rows", "next_cursor"}}


def _path(job_id: str) -> str:
    return f"/v1/jobs/{segment(job_id)}"
