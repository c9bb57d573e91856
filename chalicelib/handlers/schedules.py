"""What runs by the clock, and the parts of jobs."""

from __future__ import annotations

import json

from chalice.app import Blueprint, CloudWatchEvent, Rate, SQSEvent

from chalicelib.contracts.codec import from_json
from chalicelib.domain.job import JobPart
from chalicelib.observability import log
from chalicelib.usecases import resume_jobs as resume
from chalicelib.usecases import run_job, sweep_devices, sync_policy
from chalicelib.wiring import gateway

blueprint = Blueprint(__name__)
WORK_QUEUE = "sipgw-work"


@blueprint.on_sqs_message(queue=WORK_QUEUE, batch_size=1, name="run_part")  # one: a failure must not repeat its neighbours
def run_part(event: SQSEvent) -> None:
    """Works on a job for less than a minute. Raises where the message is to come again."""
    for record in event:
        run_job.run_part(gateway(), from_json(JobPart, json.loads(record.body)))


@blueprint.schedule(Rate(1, unit=Rate.HOURS), name="sync_policy")
def start_syncs(event: CloudWatchEvent) -> dict[str, int]:
    """Starts the policy sync of every enabled tenant."""
    del event
    return _logged("policy_syncs_started", tenants=sync_policy.sync_all_tenants(gateway()))


@blueprint.schedule(Rate(1, unit=Rate.DAYS), name="sweep_devices")
def start_sweeps(event: CloudWatchEvent) -> dict[str, int]:
    """Starts every tenant's search for devices that nobody sees any more."""
    del event
    return _logged("device_sweeps_started", tenants=sweep_devices.sweep_all_tenants(gateway()))


@blueprint.schedule(Rate(1, unit=Rate.HOURS), name="remove_expired")
def remove_expired(event: CloudWatchEvent) -> dict[str, int]:
    """Removes what is over from a store that keeps it."""
    del event
    return _logged("expired_removed", records=sweep_devices.remove_expired(gateway()))


@blueprint.schedule(Rate(5, unit=Rate.MINUTES), name="resume_jobs")
def resume_jobs(event: CloudWatchEvent) -> dict[str, int]:
    """Goes on with jobs whose message was lost."""
    del event
    return _logged("open_jobs_found", jobs=resume.resume_jobs(gateway()))


def _logged(event: str, **count: int) -> dict[str, int]:
    log().info(event, extra=count)
    return count
