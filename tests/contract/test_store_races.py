"""The Store port under eight threads at once. Every store must pass."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

from chalicelib.domain.device import Device
from chalicelib.domain.errors import SaveConflict
from chalicelib.domain.pairing import Pairing, PairingState, redeem
from chalicelib.usecases.ports import Store

THREADS = 8
MAC = "805ec0123456"


def run_at_once(work: Callable[[int], Any]) -> list[Any]:
    """What `work` gave in each of eight threads that started at the same moment."""
    start = Barrier(THREADS)

    def begin(number: int) -> Any:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


def saved(store: Store, *records: Any) -> bool:
    try:
        store.save(*records)
    except SaveConflict:
        return False
    return True


def test_counts_of_many_threads_add_up(store: Store, clock: Any) -> None:
    ends_at = clock.now + timedelta(hours=1)

    counts = run_at_once(lambda _: [store.count_up("tries", ends_at) for _ in range(25)])

    assert list(range(1, THREADS * 25 + 1)) == sorted(count for several in counts for count in several)


def test_a_counter_that_is_over_starts_again_only_once(store: Store, clock: Any) -> None:
    store.count_up("tries", clock.now + timedelta(minutes=1))
    clock.forward(60)

    counts = run_at_once(lambda _: store.count_up("tries", clock.now + timedelta(hours=1)))

    assert list(range(1, THREADS + 1)) == sorted(counts)


def test_exactly_one_thread_redeems_a_pairing(store: Store, clock: Any) -> None:
    for round_number in range(5):
        digest = f"digest{round_number}"
        store.save(Pairing(digest, "installation", MAC, clock.now, clock.now + timedelta(minutes=15)))

        def try_to_redeem(_: int, digest: str = digest) -> bool:
            pairing = store.load(Pairing, digest)
            return pairing.state is PairingState.PENDING and saved(store, redeem(pairing))

        assert 1 == sum(run_at_once(try_to_redeem))


def test_exactly_one_thread_redeems_a_pairing_for_its_device(store: Store, clock: Any) -> None:
    for round_number in range(5):
        digest, macs = f"digest{round_number}", [f"80{round_number}ec012345{number}" for number in range(THREADS)]
        store.save(Pairing(digest, "installation", MAC, clock.now, clock.now + timedelta(minutes=15)))

        def try_to_redeem(number: int, digest: str = digest, macs: list[str] = macs) -> bool:
            pairing = store.load(Pairing, digest)
            device = Device(macs[number], "yealink", "T46U", "")
            return pairing.state is PairingState.PENDING and saved(store, redeem(pairing), device)

        winners = [macs[number] for number, won in enumerate(run_at_once(try_to_redeem)) if won]
        devices = [device.mac for device in store.load_many(Device, [(mac,) for mac in macs]) if device]
        assert 1 == len(winners)
        assert winners == devices


def test_exactly_one_thread_inserts_a_record(store: Store) -> None:
    device = Device(MAC, "yealink", "T46U", "")

    assert 1 == sum(run_at_once(lambda number: saved(store, replace(device, firmware=str(number)))))


def test_no_change_is_lost_where_everybody_tries_again(store: Store) -> None:
    store.save(Device(MAC, "yealink", "T46U", "", config_version=0))

    def change_ten_times(_: int) -> None:
        for _ in range(10):
            while True:
                device = store.load(Device, MAC)
                if saved(store, replace(device, config_version=device.config_version + 1)):
                    break

    run_at_once(change_ten_times)

    assert THREADS * 10 == store.load(Device, MAC).config_version
