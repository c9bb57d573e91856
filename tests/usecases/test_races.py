"""Two at the same moment, in real threads on a real file: exactly one wins, and the other is told why."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chalicelib.domain.errors import GatewayError
from chalicelib.domain.job import Job, JobPart
from chalicelib.domain.web import WebSession
from chalicelib.usecases.bootstrap_device import BootstrapRequest, bootstrap_device
from chalicelib.usecases.enroll_device import enroll_device
from chalicelib.usecases.ports import Caller
from chalicelib.usecases.redeem_pairing import redeem_pairing
from chalicelib.usecases.request_command import CommandType, request_command
from chalicelib.usecases.run_job import run_part
from chalicelib.usecases.start_pairing import start_pairing
from chalicelib.usecases.sync_policy import request_sync
from tests.gateway import ANNA, BEN, ELSEWHERE, HOME, MAC, TENANT, Browser, Phone, World, serving

ROUNDS = 5
THREADS = 4
ADMIN = Caller(TENANT, "admin@example.com", frozenset())
CHANGED = ("configuration_changed", {"reason": "policy_sync"})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with serving(World(str(tmp_path / "gateway.db"))) as world:
        yield world


def together(*actions: Callable[[], object]) -> list[str]:
    """Runs the actions at the same moment; `done` or the code of the error of each, sorted."""
    barrier = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> str:
        barrier.wait()
        try:
            action()
        except GatewayError as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(len(actions)) as pool:
        return sorted(pool.map(run, actions))


def id_of(phone: Phone) -> str:
    return phone.username.rpartition(".")[0]


def state_of(phone: Phone) -> str:
    """As the second line of its file says."""
    return phone.fetch().text.splitlines()[1].rpartition(" ")[2]


def session_of(browser: Browser) -> WebSession:
    world = browser.world
    session = world.store.load(WebSession, world.gateway.keys.digest("session", browser.cookies["__Host-session"]))
    assert session is not None
    return session


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_one_of_two_installations_redeems_a_one_time_password(world: World, round_number: int) -> None:
    mac = f"805ec00000{round_number:02}"
    phones = [world.phone(mac, address=address).onboard() for address in (HOME, ELSEWHERE)]
    otp = world.issue_otp(mac)

    assert ["done", "used_otp"] == together(*(lambda p=p: enroll_device(world.gateway, id_of(p), otp) for p in phones))
    assert ["enrolled", "onboarding"] == sorted(state_of(phone) for phone in phones)


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_one_installation_redeems_a_one_time_password_once(world: World, round_number: int) -> None:
    phone = world.phone(f"805ec00000{round_number:02}").onboard()
    otp = world.issue_otp(phone.mac)
    outcomes = together(*[lambda: enroll_device(world.gateway, id_of(phone), otp)] * THREADS)

    assert 1 == outcomes.count("done")
    assert {"not_onboarded", "used_otp"} >= {*outcomes} - {"done"}


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_one_of_two_people_redeems_a_pairing_code(world: World, round_number: int) -> None:
    phone = world.phone(f"805ec00000{round_number:02}").onboard()
    code = phone.show_code()
    browsers = [world.browser().sign_in(upn) for upn in (ANNA, BEN)]
    for browser in browsers:
        browser.type_code(code)
    sessions = [session_of(browser) for browser in browsers]

    assert ["done", "expired_token"] == together(*(lambda s=s: redeem_pairing(world.gateway, s) for s in sessions))


def test_wrong_codes_dialled_at_the_same_moment_are_all_counted(world: World) -> None:
    phone = world.phone().onboard()
    outcomes = together(*[lambda: enroll_device(world.gateway, id_of(phone), "000000")] * 5)

    assert (["wrong_otp"] * 5, "enrollment_locked") == (outcomes, phone.dial("*55*000000")[0])


def test_stage_1_asked_at_the_same_moment_mints_one_candidate(world: World) -> None:
    answers: list[str] = []

    def ask() -> None:
        file = bootstrap_device(world.gateway, BootstrapRequest(f"{MAC}.cfg", world.phone().user_agent, HOME))
        answers.append(file.body if file else "")

    together(*[ask] * THREADS)

    assert (THREADS, 1) == (len(answers), len(set(answers)))


def test_of_sign_in_screens_at_the_same_moment_one_code_is_good(world: World) -> None:
    phone = world.phone().onboard()
    codes: list[str] = []
    together(*[lambda: codes.append(start_pairing(world.gateway, id_of(phone)).code.reveal())] * THREADS)
    browser = world.browser().sign_in()

    assert [200, *[410] * (THREADS - 1)] == sorted(browser.type_code(code).status for code in codes)


def test_commands_given_at_the_same_moment_are_all_pending(world: World) -> None:
    phone = world.phone().enroll()
    before = len(world.device()["pending_commands"])
    caller = Caller(TENANT, "admin@example.com", frozenset())
    outcomes = together(*[lambda: request_command(world.gateway, caller, phone.mac, CommandType.RESTART)] * THREADS)

    assert (["done"] * THREADS, before + THREADS) == (outcomes, len(world.device()["pending_commands"]))


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_syncs_that_are_asked_for_at_once_are_one_job_that_one_part_works_on(world: World, _round: int) -> None:
    phone = world.phone().enroll().sign_in()
    world.change_user(display_name="Anna Berg-Lund")
    world.queue.held = True
    assert ["done"] * THREADS == together(*(lambda: request_sync(world.gateway, ADMIN) for _ in range(THREADS)))
    (job,) = world.store.find_newest(Job, TENANT).items
    world.queue.waiting.clear()
    assert ["done"] * THREADS == together(*(lambda: run_part(world.gateway, JobPart(job.id)) for _ in range(THREADS)))
    done = world.store.load(Job, job.id)

    assert done is not None
    assert ("succeeded", 1, 1) == (done.state, done.counts["changed"], world.history().count(CHANGED))
    assert "Anna Berg-Lund +4989123401" == phone.settings()["account.1.label"]
