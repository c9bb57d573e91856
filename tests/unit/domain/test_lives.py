"""Whole lives, against tiny models: a device with its installations, a pairing code, a command."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.domain.command import Command, CommandState, as_of, finish
from chalicelib.domain.device import Device, DeviceState, Move, move
from chalicelib.domain.directory import SignedInUser
from chalicelib.domain.errors import IllegalMove, PairingCodeExpired, PairingCodeWrong
from chalicelib.domain.identifiers import InstallationId
from chalicelib.domain.installation import (
    Account,
    Installation,
    PhoneState,
    Profile,
    Stage,
    account_of,
    configure,
    mark_fetched,
    promote,
    signed_in_profile,
    signed_out_profile,
    username_of,
)
from chalicelib.domain.pairing import Pairing, PairingState, check_pairing, redeem, void
from tests.unit.domain.samples import ANNA, BEN, INSTALLATION_ID, MAC, NOW, a_command, a_device, a_tenant, an_installation

TENANT = a_tenant()
MINUTES = st.integers(0, 20)


class DeviceLife(RuleBasedStateMachine):
    """Factory resets, enrollments, sign-ins and sign-outs. The model: who is signed in, and whether an OTP was redeemed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.device: Device = a_device()
        self.installation: Installation = an_installation()
        self.resets = 0
        self.user: SignedInUser | None = None
        self.enrolled = False
        self.onboarded = False
        self.given: dict[str, str] = {}  # digest user name -> address of record, as it was first given

    def _become_active(self, step: Move, profile: Profile) -> None:
        """What every proof of presence ends in."""
        self.installation = promote(self.installation, TENANT, profile)
        moved = move(self.device, step, self.now)
        self.device = replace(moved, installation_id=self.installation.id, user=profile.user)

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def factory_reset(self) -> None:
        """A fresh candidate beside what was; the device stays as it is until somebody proves presence."""
        self.resets += 1
        name = InstallationId(f"{INSTALLATION_ID[:20]}{self.resets:06}")
        self.installation = an_installation(id=name, account=Account(1, name))

    @precondition(lambda self: not self.device.owned)
    @rule()
    def register(self) -> None:
        self.device = move(self.device, Move.ONBOARD, self.now)
        self.onboarded = True

    @rule()
    def fetch(self) -> None:
        self.installation = mark_fetched(self.installation)

    @precondition(lambda self: self.installation.stage is Stage.CANDIDATE)
    @rule()
    def enroll(self) -> None:
        self._become_active(Move.ENROLL, signed_out_profile(TENANT))
        self.user, self.enrolled, self.onboarded = None, True, True

    @rule(user=st.sampled_from([ANNA, BEN]))
    def sign_in(self, user: SignedInUser) -> None:
        self._become_active(Move.SIGN_IN, signed_in_profile(TENANT, user, None))
        self.user, self.onboarded = user, True

    @precondition(lambda self: self.user is not None and self.installation.stage is Stage.ACTIVE)
    @rule()
    def sign_out(self) -> None:
        self.installation = configure(self.installation, signed_out_profile(TENANT))
        self.device = move(self.device, Move.SIGN_OUT, self.now)
        self.user = None

    @precondition(lambda self: self.user is None)
    @rule()
    def nobody_signs_out_twice(self) -> None:
        before = self.device
        try:
            move(self.device, Move.SIGN_OUT, self.now)
        except IllegalMove:
            assert before == self.device
        else:
            raise AssertionError("a sign-out without a user must be refused")

    @precondition(lambda self: self.device.state not in {DeviceState.ADDED, DeviceState.OFFBOARDED})
    @rule()
    def offboard(self) -> None:
        self.device = move(self.device, Move.OFFBOARD, self.now)
        self.factory_reset()  # its installation is gone with it
        self.user, self.enrolled, self.onboarded = None, False, False

    @invariant()
    def the_device_knows_its_user(self) -> None:
        assert self.user == self.device.user

    @invariant()
    def the_state_is_that_of_the_model(self) -> None:
        if self.user:
            expected = {DeviceState.SIGNED_IN}
        elif self.enrolled:
            expected = {DeviceState.ENROLLED}
        else:
            expected = {DeviceState.ONBOARDED} if self.onboarded else {DeviceState.ADDED, DeviceState.OFFBOARDED}
        assert self.device.state in expected

    @invariant()
    def a_candidate_has_no_power(self) -> None:
        if self.installation.stage is Stage.CANDIDATE:
            assert not self.installation.account.may_call
            assert self.installation.state is PhoneState.ONBOARDING

    @invariant()
    def a_user_name_never_means_somebody_else(self) -> None:
        account = self.installation.account
        assert account.aor == self.given.setdefault(username_of(self.installation, account), account.aor)

    @invariant()
    def at_most_the_newest_account_may_call(self) -> None:
        for version in range(self.installation.account.version):
            account = account_of(self.installation, version)
            assert account is None or not account.may_call


class PairingLife(RuleBasedStateMachine):
    """The model: a code is good from its issue for 15 minutes, until it is redeemed or voided."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOW
        self.pairing: Pairing | None = None
        self.good_until: datetime | None = None  # None: never again
        self.redeemed = 0

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def issue(self) -> None:
        self.pairing = Pairing("digest", INSTALLATION_ID, MAC, self.now, self.now + timedelta(minutes=15))
        self.good_until, self.redeemed = self.pairing.expires_at, 0

    @precondition(lambda self: self.pairing)
    @rule()
    def press_back(self) -> None:
        assert self.pairing
        self.pairing = void(self.pairing)
        self.good_until = None

    @rule()
    def type_the_code(self) -> None:
        good = self.good_until is not None and self.now < self.good_until
        try:
            self.pairing = redeem(check_pairing(self.pairing, self.now))
        except PairingCodeWrong:
            assert self.pairing is None
        except PairingCodeExpired:
            assert not good
        else:
            assert good
            self.redeemed += 1
            self.good_until = None

    @invariant()
    def a_code_has_one_use(self) -> None:
        assert self.redeemed <= 1
        if self.pairing:
            assert (self.redeemed == 1) == (self.pairing.state is PairingState.REDEEMED)


class CommandLife(RuleBasedStateMachine):
    """The model: the first final answer within 24 hours counts, and after them a command without one has expired."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOW
        self.command: Command = a_command()
        self.answer: int | None = None

    def _over(self) -> bool:
        return self.now >= NOW + timedelta(hours=24)

    @rule(hours=st.integers(0, 10))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: as_of(self.command, self.now).open)
    @rule()
    def hand_to_the_edge(self) -> None:
        self.command = replace(self.command, state=CommandState.SENT)

    @rule(sip_status=st.sampled_from([200, 202, 403, 408, 480, 503]))
    def edge_reports(self, sip_status: int) -> None:
        seen = as_of(self.command, self.now)
        self.command = finish(seen, sip_status, self.now)
        if self.answer is None and not self._over() and sip_status != 480:
            self.answer = sip_status

    @invariant()
    def the_state_is_true(self) -> None:
        seen = as_of(self.command, self.now)
        if self.answer is not None:
            assert (CommandState.ACKNOWLEDGED if self.answer < 300 else CommandState.FAILED) is seen.state
        elif self._over():
            assert seen.state is CommandState.EXPIRED
        else:
            assert seen.open

    @invariant()
    def a_final_state_has_its_time(self) -> None:
        seen = as_of(self.command, self.now)
        assert seen.open == (seen.finished_at is None)


BRIEFLY = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestDeviceLife = DeviceLife.TestCase
TestDeviceLife.settings = BRIEFLY
TestPairingLife = PairingLife.TestCase
TestPairingLife.settings = BRIEFLY
TestCommandLife = CommandLife.TestCase
TestCommandLife.settings = BRIEFLY
