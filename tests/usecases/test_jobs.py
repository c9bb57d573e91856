"""Jobs in parts: held by one, handed on, put off, taken up again, given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.errors import DirectoryAway
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.domain.installation import Installation
from chalicelib.domain.job import HOLD, Job, JobPart, JobState, OpenJob
from chalicelib.domain.tenant import Tenant
from chalicelib.usecases.resume_jobs import resume_jobs
from chalicelib.usecases.run_job import run_part
from chalicelib.usecases.sync_policy import sync_all_tenants
from tests.gateway import OTHER_TENANT, TENANT, Phone, World, client


class AwayDirectory:
    """The Directory port while the directory throttles some tenants."""

    def __init__(self, world: World, *away: str, seconds: int = 30) -> None:
        self._directory = world.gateway.directory
        self.away = set(away)
        self._seconds = seconds
        self.asked: list[list[Upn]] = []

    def load_users(self, tenant_id: TenantId, upns: list[Upn], *, fresh: bool = True) -> dict[Upn, object]:
        self.asked.append(list(upns))
        if tenant_id in self.away:
            raise DirectoryAway("Microsoft Graph throttles.", self._seconds)
        return dict(self._directory.load_users(tenant_id, upns, fresh=fresh))


@pytest.fixture
def signed_in(phone: Phone) -> Phone:
    phone.enroll().sign_in()
    return phone


def away(world: World, *tenants: str, seconds: int = 30) -> AwayDirectory:
    directory = AwayDirectory(world, *tenants, seconds=seconds)
    wiring.use(replace(world.gateway, directory=directory))  # type: ignore[arg-type]
    return directory


def start_sync(world: World) -> str:
    return str(world.admin.post("/v1/sync").json["id"])


def job_of(world: World, job_id: str) -> Job:
    job = world.store.load(Job, job_id)
    assert job is not None
    return job


def shown(world: World, job_id: str) -> dict[str, object]:
    return dict(world.admin.get(f"/v1/jobs/{job_id}").json)


def add_copies(world: World, phone: Phone, count: int) -> None:
    """Installations like this phone's, so that a sync has several pages. Their devices are none of theirs."""
    own = world.store.load(Installation, phone.username.rpartition(".")[0])
    assert own is not None
    for start in range(0, count, 100):
        world.store.save(*(replace(own, id=f"copy{number:06}", version=0) for number in range(start, min(start + 100, count))))


# --- put off -----------------------------------------------------------------------------------------------------------


def test_a_directory_that_is_away_puts_the_sync_off_and_the_job_says_so(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    directory = away(world, TENANT, seconds=120)
    job = start_sync(world)
    waiting = shown(world, job)
    directory.away.clear()
    seconds = world.queue.wait(world.clock)

    assert ("running", "directory_away", "Microsoft Graph throttles.", "2026-11-22T12:02:02Z") == tuple(
        waiting[name] for name in ("state", "reason", "detail", "retry_at")
    )
    assert (120, "succeeded", None) == (seconds, shown(world, job)["state"], shown(world, job)["reason"])


def test_each_wait_is_twice_as_long_and_an_hour_is_the_end(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    away(world, TENANT, seconds=1)
    job = start_sync(world)
    waits = []
    while world.queue.waiting:
        waits.append(world.queue.wait(world.clock))

    assert [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900] == waits
    assert ("failed", "directory_away", None) == tuple(shown(world, job)[name] for name in ("state", "reason", "retry_at"))


def test_the_next_hour_begins_anew_after_one_that_gave_up(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    directory = away(world, TENANT)
    start_sync(world)
    while world.queue.waiting:
        world.queue.wait(world.clock)
    directory.away.clear()
    sync_all_tenants(wiring.gateway())

    assert ["succeeded", "failed"] == [job["state"] for job in world.admin.get("/v1/jobs").json["items"]]


def test_another_tenant_is_not_held_up(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    world.open_other_tenant()
    away(world, TENANT)
    sync_all_tenants(wiring.gateway())
    other = world.store.load(Tenant, OTHER_TENANT)

    assert other is not None
    assert world.clock.now == other.sync.finished_at


def test_a_bulk_sign_in_waits_for_the_directory_too_and_refuses_nobody_for_it(world: World, phone: Phone) -> None:
    phone.enroll()
    directory = away(world, TENANT)
    answer = world.admin.post("/v1/sign-ins", "Username,HardwareId\nlobby@example.com,80-5E-C0-12-34-56\n")
    directory.away.clear()
    world.queue.wait(world.clock)
    done = shown(world, answer.json["id"])

    assert ("running", "directory_away", []) == tuple(answer.json[name] for name in ("state", "reason", "rows"))
    assert ("succeeded", 1) == (done["state"], done["counts"]["signed_in"])  # type: ignore[index]


def test_a_message_that_comes_too_early_is_dropped(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    directory = away(world, TENANT)
    job = start_sync(world)
    asked = len(directory.asked)
    run_part(wiring.gateway(), JobPart(job))

    assert (asked, 1) == (len(directory.asked), len(world.queue.waiting))


# --- held by one, taken up by another ----------------------------------------------------------------------------------


def test_a_job_that_somebody_holds_is_not_worked_on_by_another(world: World) -> None:
    world.queue.held = True
    job = job_of(world, start_sync(world))
    world.store.save(replace(job, holder="somebody", held_until=world.clock.now + HOLD))
    world.queue.drain()

    assert "somebody" == job_of(world, job.id).holder


def test_a_job_whose_holder_died_is_gone_on_with_when_its_hold_is_over(world: World) -> None:
    world.queue.held = True
    job = job_of(world, start_sync(world))
    world.queue.waiting.clear()
    world.store.save(replace(job, holder="somebody", held_until=world.clock.now + HOLD))
    found = resume_jobs(world.gateway)
    world.queue.held = False
    world.queue.wait(world.clock)

    assert (1, JobState.SUCCEEDED) == (found, job_of(world, job.id).state)


def test_a_message_that_was_lost_is_put_again(world: World) -> None:
    world.queue.held = True
    job = start_sync(world)
    world.queue.waiting.clear()
    world.queue.held = False
    event = client().events.generate_cw_event("aws.events", "Scheduled Event", {}, [], "eu-central-1")
    answer = client().lambda_.invoke("resume_jobs", event).payload

    assert ({"jobs": 1}, "succeeded") == (answer, shown(world, job)["state"])


def test_a_message_too_many_does_nothing(world: World) -> None:
    job = start_sync(world)
    ended = job_of(world, job)
    client().lambda_.invoke("run_part", client().events.generate_sqs_event([f'{{"job_id": "{job}"}}']))

    assert ended == job_of(world, job)


def test_the_job_that_a_lost_record_stood_for_is_forgotten(world: World) -> None:
    world.store.save(OpenJob("policy_sync#x", "nobody"))

    assert (0, None) == (resume_jobs(world.gateway), world.store.load(OpenJob, "policy_sync#x"))


def test_a_job_that_breaks_off_again_and_again_fails_visibly(world: World) -> None:
    world.queue.held = True
    job = job_of(world, start_sync(world))
    world.store.save(replace(job, tries=20))
    world.queue.drain()

    assert ("failed", "broken_off") == (shown(world, job.id)["state"], shown(world, job.id)["reason"])


def test_a_part_ends_in_time_and_the_next_one_goes_on(world: World, signed_in: Phone) -> None:
    add_copies(world, signed_in, 250)
    world.queue.held = True
    job = start_sync(world)
    run_part(wiring.gateway(), world.queue.waiting.pop()[0], timedelta(0))
    between = job_of(world, job)
    world.queue.drain()

    assert (100, "", JobState.RUNNING) == (between.counts["checked"], between.holder, between.state)
    assert {"checked": 251, "changed": 0, "signed_out": 0} == shown(world, job)["counts"]


def test_the_directory_is_asked_for_a_page_of_users_at_once(world: World, signed_in: Phone) -> None:
    add_copies(world, signed_in, 250)
    directory = away(world)
    start_sync(world)

    assert [100, 100, 51] == [len(upns) for upns in directory.asked]


# --- two at once -------------------------------------------------------------------------------------------------------


def test_a_second_sync_joins_the_one_that_is_under_way(world: World) -> None:
    world.queue.held = True

    assert start_sync(world) == start_sync(world)
    assert 1 == len(world.queue.waiting)


def test_what_changed_behind_the_checkpoint_of_a_sync_is_not_missed(world: World, signed_in: Phone) -> None:
    add_copies(world, signed_in, 250)
    world.queue.held = True
    job = start_sync(world)
    run_part(wiring.gateway(), world.queue.waiting.pop()[0], timedelta(0))
    world.change_user(display_name="Anna Berg-Lund")  # its page is done already
    assert job == start_sync(world)
    world.queue.drain()

    assert "Anna Berg-Lund" == world.device()["user"]["display_name"]
    assert {"checked": 502, "changed": 1, "signed_out": 0} == shown(world, job)["counts"]


def test_the_hourly_schedule_leaves_a_sync_under_way_alone(world: World) -> None:
    world.queue.held = True
    job = start_sync(world)
    sync_all_tenants(world.gateway)

    assert ([job], False) == ([item["id"] for item in world.admin.get("/v1/jobs").json["items"]], job_of(world, job).again)


def test_a_change_of_the_tenant_answers_at_once_and_reaches_its_phones_by_a_job(world: World, signed_in: Phone) -> None:
    world.queue.held = True
    answer = world.admin.patch("/v1/tenant", {"time_zone": "Europe/Berlin"})
    before = signed_in.settings()["local_time.time_zone_name"]
    world.queue.drain()

    assert ("Europe/Berlin", "GMT") == (answer.json["time_zone"], before)
    assert "Germany(Berlin)" == signed_in.settings()["local_time.time_zone_name"]


def test_a_sync_that_is_cancelled_stops_where_it_is(world: World, signed_in: Phone) -> None:
    add_copies(world, signed_in, 250)
    world.queue.held = True
    job = start_sync(world)
    run_part(wiring.gateway(), world.queue.waiting.pop()[0], timedelta(0))
    world.admin.post(f"/v1/jobs/{job}/cancel")
    world.queue.drain()

    assert ("cancelled", 100) == (shown(world, job)["state"], job_of(world, job).counts["checked"])
    assert job != start_sync(world)


def test_a_sync_that_is_asked_for_while_one_is_being_cancelled_begins_after_it(world: World, signed_in: Phone) -> None:
    world.queue.held = True
    job = start_sync(world)
    start_sync(world)
    world.admin.post(f"/v1/jobs/{job}/cancel")
    world.admin.patch("/v1/tenant", {"time_zone": "Europe/Berlin"})
    world.clock.forward(seconds=1)
    world.queue.drain()

    assert ["succeeded", "cancelled"] == [item["state"] for item in world.admin.get("/v1/jobs").json["items"]]
    assert "Germany(Berlin)" == signed_in.settings()["local_time.time_zone_name"]


def test_a_job_that_waits_is_cancelled_at_once(world: World, signed_in: Phone) -> None:
    assert signed_in.base
    away(world, TENANT)
    job = start_sync(world)
    world.admin.post(f"/v1/jobs/{job}/cancel")

    assert "cancelled" == shown(world, job)["state"]
