"""The policy sync of a large tenant: 100,000 phones whose users the directory knows, one in a hundred of them changed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bench.figures import Figure
from chalicelib.adapters.counting import Cost, CountingStore
from chalicelib.adapters.sqlite import SqliteStore
from chalicelib.contracts.edge import EdgeCommand
from chalicelib.domain.device import Device, DeviceState
from chalicelib.domain.directory import CallingPolicy, SignedInUser, User
from chalicelib.domain.identifiers import InstallationId, Language, Mac, TenantId, Upn
from chalicelib.domain.installation import Account, Installation, Profile, Stage
from chalicelib.domain.job import Job, JobPart, JobState
from chalicelib.domain.tenant import Tenant
from chalicelib.settings import Settings
from chalicelib.usecases.ports import Caller, Gateway, Page
from chalicelib.usecases.run_job import run_part
from chalicelib.usecases.sync_policy import request_sync
from chalicelib.wiring import build_gateway, now

PHONES = 100_000
CHANGED = PHONES // 100
TENANT = TenantId("d0000000-0000-4000-8000-00000000b00b")
POLICY = "SIP phones"
_IN_A_SAVE = 80  # phones; every hundredth is two records


class Directory:
    """The Directory port: every user exists; those whose number in line is a multiple of `every` have another name."""

    writable = False

    def __init__(self) -> None:
        self.every = 0
        self.asked = 0

    def load_users(self, tenant_id: TenantId, upns: Sequence[Upn], *, fresh: bool = True) -> dict[Upn, User]:
        del fresh
        self.asked += 1
        return {upn: User(tenant_id, upn, self._name(_number(upn)), f"+49891{_number(upn):06}", POLICY) for upn in upns}

    def list_users(self, tenant_id: TenantId, limit: int, cursor: str | None = None) -> Page:
        """Nobody: a sync looks users up by name."""
        del tenant_id, limit, cursor
        return Page(())

    def _name(self, number: int) -> str:
        return f"User {number}, renamed" if self.every and number % self.every == 0 else f"User {number}"


class Queue:
    """The WorkQueue port: parts are done one after the other, and counted."""

    def __init__(self) -> None:
        self.parts: list[JobPart] = []

    def put(self, part: JobPart, delay_seconds: int = 0) -> bool:
        del delay_seconds
        self.parts.append(part)
        return True


class Link:
    """The CommandLink port to an edge that takes everything."""

    def send(self, edge_id: str, commands: Sequence[EdgeCommand]) -> bool:
        del edge_id, commands
        return True


def measure() -> list[Figure]:
    """A sync that finds nothing, and one that finds one user in a hundred changed. Reads and writes are DynamoDB's too."""
    with tempfile.TemporaryDirectory(prefix="sip-gateway-bench-") as folder:
        store = CountingStore(SqliteStore(str(Path(folder) / "gateway.db")))
        directory, queue = Directory(), Queue()
        gateway = replace(_gateway(folder), store=store, directory=directory, work=queue, commands=Link())
        _build(store)
        quiet = _sync(gateway, store, queue, "nobody changed")
        directory.every = PHONES // CHANGED
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew: proc(5)
        before = _kilobytes("VmRSS")
        busy = _sync(gateway, store, queue, f"{CHANGED:,} changed")
        grown = (_kilobytes("VmHWM") - before) / 1024
        return [*quiet, *busy, Figure("its memory at the peak", grown, "MB", "flat", f"above {before / 1024:.0f} MB")]


def _sync(gateway: Gateway, store: CountingStore, queue: Queue, what: str) -> list[Figure]:
    store.cost = Cost()
    started, processor = time.perf_counter(), time.process_time()
    job = _run(gateway, queue)
    seconds, processor = time.perf_counter() - started, time.process_time() - processor
    if job.state is not JobState.SUCCEEDED or job.counts["checked"] != PHONES:
        raise SystemExit(f"the sync did not come to its end: {job}")
    cost = store.cost
    return [
        Figure(
            f"sync {PHONES:,} phones, {what}",
            PHONES / seconds,
            "phones/s",
            "> 1,000",
            f"{seconds:.1f} s, {processor:.1f} s of one core",
        ),
        Figure("its reads and queries", cost.reads + cost.queries, "", "", f"{job.counts['changed']:,} phones changed"),
        Figure("its writes", cost.writes, "", "", f"{cost.writes / PHONES:.3f} a phone"),
    ]


def _run(gateway: Gateway, queue: Queue) -> Job:
    job = request_sync(gateway, Caller(TENANT, "bench", frozenset()))
    while queue.parts:
        run_part(gateway, queue.parts.pop(0))
    return gateway.store.load(Job, job.id) or job


def _kilobytes(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def _gateway(folder: str) -> Gateway:
    secrets = Path(folder) / "secrets.json"
    secrets.write_text('{"region_key": "a key for benchmarks, of more than 32 letters", "edge_credentials": ["bench"]}')
    return build_gateway(Settings(sqlite_path=":memory:", secrets_source=f"file:{secrets}"))


def _build(store: CountingStore) -> None:
    """Devices only of the phones that will change: a sync reads no other."""
    store.save(Tenant(TENANT, enabled=True), CallingPolicy(TENANT, POLICY, sip_devices_for_calls=True))
    at = now()
    for start in range(0, PHONES, _IN_A_SAVE):
        store.save(*(record for number in range(start, start + _IN_A_SAVE) for record in _phone(number, at)))


def _phone(number: int, at: datetime) -> tuple[Installation, Device] | tuple[Installation]:
    user = SignedInUser(Upn(f"user{number:06}@example.com"), f"User {number}", f"+49891{number:06}")
    mac, identifier = Mac(f"805ec0{number:06x}"), InstallationId(f"installation{number:06}")
    known = {"mac": mac, "vendor": "yealink", "model": "T46U", "firmware": "108.86.0.90"}
    installation = Installation(
        id=identifier,
        seed=f"seed{number}",
        language=Language.EN,
        address="198.51.100.7",
        created_at=at,
        account=Account(2, user.number, may_call=True),
        stage=Stage.ACTIVE,
        tenant_id=TENANT,
        profile=Profile(user),
        **known,
    )
    if number % (PHONES // CHANGED):
        return (installation,)
    device = Device(state=DeviceState.SIGNED_IN, installation_id=identifier, tenant_id=TENANT, user=user, **known)
    return installation, replace(device, last_seen_at=at, enrolled_at=at, signed_in_at=at)


def _number(upn: Upn) -> int:
    return int(upn.removeprefix("user").partition("@")[0])
