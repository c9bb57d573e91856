"""A job that is interrupted at any call of the store, before or after it was carried out, ends as one that never was.

The interruption is either the end of the process, or a store that is away for a moment.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from chalicelib import wiring
from chalicelib.adapters.dynamodb import DynamoStore
from chalicelib.domain.device import Device
from chalicelib.domain.edge import WaitingCommand
from chalicelib.domain.errors import StoreAway
from chalicelib.domain.job import Job, JobPart, JobState, OpenJob
from chalicelib.usecases.answer_table import sign_in_accounts
from chalicelib.usecases.import_devices import save_import
from chalicelib.usecases.ports import Caller, Store
from chalicelib.usecases.resume_jobs import resume_jobs
from chalicelib.usecases.sweep_devices import sweep_all_tenants
from chalicelib.usecases.sync_policy import request_sync
from tests.gateway import ANNA, BEN, EDGE, MAC, TENANT, Clock, World

SECOND = "805ec0abcdef"
THIRD = "805ec0fedcba"
BASE = "805ec0bbbb01"
PORTS = tuple(f"{BASE}:{number:03}" for number in (2, 3, 4))
ADMIN = Caller(TENANT, "admin@example.com", frozenset())
Prepare = Callable[[World], object]
Start = Callable[[World], object]


class Killed(BaseException):
    """The process ends here."""


class FailingStore:
    """The Store port: call number `at` fails, before or after it was carried out; all others go to `store`."""

    def __init__(self, store: Store, error: type[BaseException], at: int = -1, *, carried_out: bool = False) -> None:
        self._store = store
        self._error = error
        self._at = at
        self._carried_out = carried_out
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls - 1 != self._at:
                return method(*args, **kwargs)
            if self._carried_out:
                method(*args, **kwargs)
            raise self._error

        return call


# --- the jobs, and what they shall come to -----------------------------------------------------------------------------


def three_phones(world: World) -> None:
    """Anna's and Ben's phone, who will be renamed and lose the number; and one that is only enrolled."""
    world.phone().enroll().sign_in(ANNA)
    world.phone(SECOND).enroll().sign_in(BEN)
    world.phone(THIRD).enroll()
    world.change_user(ANNA, display_name="Anna Berg-Lund")
    world.change_user(BEN, number="")
    world.link.sent.clear()


def base_with_ports(world: World) -> None:
    """Anna on the base itself, Ben, who will lose the number, on its second handset; the third is only enrolled."""
    world.phone(BASE, model="W70B", firmware="146.85.0.20").enroll().sign_in(ANNA)
    for port in PORTS[:2]:
        world.admin.post("/v1/devices", {"mac": port})
    world.change_user(BEN, policy="Lobby")
    assert 202 == world.admin.post(f"/v1/devices/{PORTS[0]}/sign-in", {"user": BEN}).status
    world.change_user(BEN, number="")
    world.link.sent.clear()


def sync(_: World) -> None:
    request_sync(wiring.gateway(), ADMIN)


def import_devices(world: World) -> None:
    lines = "".join(f"02000000{number:04x},Room {number}\n" for number in range(65))
    job = save_import(wiring.gateway(), ADMIN, f"MAC id,Location\n{SECOND},here\nnonsense,x\n{lines}", by_lines=False)
    world.queue.put(JobPart(job.id))


def import_ports(world: World) -> None:
    """Above their base, two of them new, one with a place to note; another is of a base that is not there."""
    rows = f"{PORTS[2]},here\n{BASE}:005,there\n{PORTS[0]},Ward\n{PORTS[1]},\n{MAC}:002,x\n{BASE},Cellar\n{THIRD},y\n"
    job = save_import(wiring.gateway(), ADMIN, f"MAC id,Location\n{rows}", by_lines=False)
    world.queue.put(JobPart(job.id))


def sign_in_ports(_: World) -> None:
    rows = f"lobby@example.com,{PORTS[2]}\nnobody@example.com,{PORTS[1]}\nlobby@example.com,{BASE}:011\n"
    sign_in_accounts(wiring.gateway(), ADMIN, f"Username,HardwareId\n{rows}")


def sign_in(_: World) -> None:
    rows = f"lobby@example.com,{THIRD}\nnobody@example.com,{SECOND}\nlobby@example.com,{MAC}\n"
    sign_in_accounts(wiring.gateway(), ADMIN, f"Username,HardwareId\n{rows}")


def sweep(world: World) -> None:
    world.clock.forward(days=31)
    sweep_all_tenants(wiring.gateway())


JOBS: dict[str, tuple[Prepare, Start, str]] = {
    "sync": (three_phones, sync, "policy_sync"),
    "import": (three_phones, import_devices, "device_import"),
    "sign in": (three_phones, sign_in, "sign_ins"),
    "sweep": (three_phones, sweep, "device_sweep"),
    "sync of ports": (base_with_ports, sync, "policy_sync"),
    "import of ports": (base_with_ports, import_ports, "device_import"),
    "sign in on ports": (base_with_ports, sign_in_ports, "sign_ins"),
    "sweep of ports": (base_with_ports, sweep, "device_sweep"),
}


def outcome(world: World, kind: str) -> dict[str, Any]:
    """What must be the same however often the job was interrupted: no ids, no times."""
    jobs = [job for job in world.store.find_newest(Job, TENANT).items if job.type == kind]
    devices = {mac: world.store.load(Device, mac) for mac in (MAC, SECOND, THIRD, BASE, *PORTS)}
    rows = world.admin.get(f"/v1/jobs/{jobs[0].id}").json["rows"] if jobs else []
    return {
        "jobs": [(job.state, job.counts) for job in jobs],
        "open": world.store.find(OpenJob).items,
        "devices": {mac: (it.state, it.user, it.config_version, it.tenant_id) for mac, it in devices.items() if it},
        "histories": {mac: sorted(line[0] for line in world.history(mac)) for mac, it in devices.items() if it},
        "inventory": [item["mac"] for item in world.admin.get("/v1/devices?limit=200").json["items"]],
        "rows": [{name: value for name, value in row.items() if name != "at"} for row in rows],
        "forgotten": sorted({command.username for command in told(world) if command.type == "forget"}),
    }


def told(world: World) -> list[Any]:
    """What the edge was told, or collects with its next batch."""
    waiting = world.store.find(WaitingCommand, EDGE).items
    return [*(command for _, command in world.link.sent), *(item.command for item in waiting)]


def start_again(world: World, store: Store) -> None:
    """The next process: the queue is empty, everybody else's clock has gone on, and unfinished jobs are found."""
    wiring.use(replace(world.gateway, store=store))
    world.queue._running = False
    world.queue.waiting.clear()
    resume_jobs(wiring.gateway())
    while world.queue.waiting:
        world.queue.wait(world.clock)


def interrupted(world: World, start: Start, store: FailingStore) -> None:
    """Starts the job, and works on it until it ends or is interrupted."""
    wiring.use(replace(world.gateway, store=store))
    with contextlib.suppress(Killed, StoreAway):
        start(world)
        while world.queue.waiting:
            world.queue.wait(world.clock)


def prepared(prepare: Prepare = three_phones, store: Store | None = None, clock: Clock | None = None) -> World:
    world = World(store=store, clock=clock)
    wiring.use(world.gateway)
    prepare(world)
    return world


@pytest.fixture(autouse=True)
def _own_gateway_again() -> Iterator[None]:
    yield
    wiring.use(None)


@pytest.mark.parametrize("carried_out", [False, True], ids=["not carried out", "carried out"])
@pytest.mark.parametrize("error", [Killed, StoreAway])
@pytest.mark.parametrize("name", JOBS)
def test_an_interruption_at_any_call_misses_nothing_and_does_nothing_twice(
    name: str, error: type[BaseException], *, carried_out: bool
) -> None:
    prepare, start, kind = JOBS[name]
    world = prepared(prepare)
    counting = FailingStore(world.store, error)
    interrupted(world, start, counting)
    calls = counting.calls
    expected = outcome(world, kind)
    assert [JobState.SUCCEEDED] == [state for state, _ in expected["jobs"]]

    for at in range(calls):
        world = prepared(prepare)
        interrupted(world, start, FailingStore(world.store, error, at, carried_out=carried_out))
        start_again(world, world.store)
        jobs = world.store.find_newest(Job, TENANT).items
        if kind not in {job.type for job in jobs}:
            continue  # it had not begun: whoever asked got an error
        assert expected == outcome(world, kind), f"call {at}"


@pytest.mark.parametrize("carried_out", [False, True], ids=["not carried out", "carried out"])
def test_a_sync_on_dynamodb_that_is_killed_now_and_then_misses_nothing(*, carried_out: bool) -> None:
    def world_on_dynamodb() -> World:
        clock = Clock()
        store = DynamoStore("sync-region", "sync-directory", aws_region="eu-central-1", clock=clock.seconds)
        store.create_tables()
        return prepared(store=store, clock=clock)

    with mock_aws():
        world = world_on_dynamodb()
        counting = FailingStore(world.store, Killed)
        interrupted(world, sync, counting)
        calls = counting.calls
        expected = outcome(world, "policy_sync")
    for at in range(4, calls, 5):
        with mock_aws():
            world = world_on_dynamodb()
            interrupted(world, sync, FailingStore(world.store, Killed, at, carried_out=carried_out))
            start_again(world, world.store)

            assert expected == outcome(world, "policy_sync"), f"call {at}"
