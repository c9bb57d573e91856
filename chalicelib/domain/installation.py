"""One life of a device between factory resets: it owns the token, the SIP account and all that its files say.

A *candidate* is known only by the MAC it named: it has a temporary account and no power. It becomes *active* when someone
proves presence with it; the device's former active installation then ends. Candidates live side by side and disturb nobody.
"""

from __future__ import annotations

import re
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.binding import Binding
from chalicelib.domain.directory import GLOBAL_POLICY, BusyOnBusy, CallingPolicy, CallRedirect, SignedInUser, Voicemail
from chalicelib.domain.identifiers import InstallationId, Language, Mac, SipUsername, TenantId, Upn
from chalicelib.domain.tenant import DEFAULT_EMERGENCY, Emergency, Tenant

CANDIDATE_LIFETIME = timedelta(hours=24)  # without a registration
REGISTERED_CANDIDATE_LIFETIME = timedelta(days=14)  # after its last one, give or take a day
OFFBOARDED_LIFETIME = timedelta(days=365)  # in which its phone finds back by a fetch; after it by a factory reset
_USERNAME = re.compile(r"(.+)\.(0|[1-9][0-9]{0,5})", re.DOTALL)  # one spelling each: what is forgotten has no second name


class Stage(StrEnum):
    """Whether presence was proven."""

    CANDIDATE = "candidate"
    ACTIVE = "active"


class PhoneState(StrEnum):
    """Which configuration the phone gets; `render` and the templates use these words."""

    BOOTSTRAP = "bootstrap"
    ONBOARDING = "onboarding"
    ENROLLED = "enrolled"
    SIGNED_IN = "signed_in"


@dataclass(frozen=True)
class Account:
    """One version of an installation's SIP account. Each version has its own digest user name and password.

    Where it was made for a user, `tenant_id` and `upn` say for whom: the `aor` is then a number, which may change hands.
    """

    version: int
    aor: str  # the user part of the address of record
    may_call: bool = False
    tenant_id: TenantId | None = None
    upn: Upn | None = None


@dataclass(frozen=True)
class Profile:
    """What the device was last configured with; the policy sync compares it with what it should be.

    `voicemail`, `busy_on_busy` and `may_forward` are what the calling policy means to the edge. They lie here so that
    credentials need no read of the policy, and a changed policy is a changed profile, which the sync brings to the edges.
    """

    user: SignedInUser | None = None
    time_zone: str = "UTC"
    emergency: Emergency = DEFAULT_EMERGENCY
    voicemail: str = ""  # where it lies, empty without one
    overrides: dict[str, dict[str, str]] = field(default_factory=dict)  # the tenant's, by vendor
    busy_on_busy: bool = False
    may_forward: bool = True


BLANK_PROFILE = Profile()


@dataclass(frozen=True)
class Port:
    """What a base's files say of one further port: the newest account of that port's own installation.

    `fetched`: the base has fetched the configuration `config_version` of the port.
    """

    number: int
    installation_id: InstallationId
    account: Account
    config_version: int
    user: SignedInUser | None = None
    voicemail: str = ""
    fetched: bool = False


@dataclass(frozen=True)
class PairingTicket:
    """The pairing now shown on the device's screen. The code is derived from `nonce`."""

    nonce: str
    digest: str
    expires_at: datetime


@dataclass(frozen=True)
class Installation:
    """See the module. `seed` derives the token.

    `previous` is the account that the phone still holds; it stays good, without calls, until the newest one registers.
    """

    id: InstallationId
    mac: Mac
    seed: str
    vendor: str
    model: str
    firmware: str
    language: Language
    address: str  # where stage 1 was asked from
    created_at: datetime
    account: Account
    previous: Account | None = None
    stage: Stage = Stage.CANDIDATE
    tenant_hint: TenantId | None = None  # `tenantid/GUID` in the provisioning URL
    tenant_id: TenantId | None = None  # the owner, once active
    profile: Profile = BLANK_PROFILE
    pairing: PairingTicket | None = None
    wrong_otps: int = 0
    locked_until: datetime | None = None
    config_version: int = 1
    fetched_version: int = 0  # the configuration that the phone last fetched
    holds_account: bool = False  # whether the phone has fetched its newest account
    registered_at: datetime | None = None
    expires_at: datetime | None = None
    binding: Binding | None = None  # of a candidate beside a device that another installation owns
    blocked: bool = False
    certified: bool = False  # stage 1 was asked with a manufacturer's certificate that names the MAC
    overrides: dict[str, str] = field(default_factory=dict)  # the device's own, as it had them last
    ports: tuple[Port, ...] = ()  # of a base in use, in order; domain/port.py
    version: int = 0

    @property
    def state(self) -> PhoneState:
        """The configuration that this installation gets."""
        if self.profile.user:
            return PhoneState.SIGNED_IN
        return PhoneState.ENROLLED if self.stage is Stage.ACTIVE else PhoneState.ONBOARDING

    @property
    def settled(self) -> bool:
        """Whether the phone has fetched its newest configuration."""
        return self.fetched_version == self.config_version


@dataclass(frozen=True)
class Candidate:
    """Which candidate stage 1 repeats for one MAC and source address: a stranger elsewhere never shares the phone's own."""

    mac: Mac
    address: str
    installation_id: InstallationId
    expires_at: datetime
    version: int = 0


def username_of(installation: Installation, account: Account) -> SipUsername:
    """The digest user name of one account version."""
    return SipUsername(f"{installation.id}.{account.version}")


def split_username(username: str) -> tuple[InstallationId, int] | None:
    """The installation and account version that a digest user name names, or None where it has another form."""
    found = _USERNAME.fullmatch(username)
    return (InstallationId(found.group(1)), int(found.group(2))) if found else None


def account_of(installation: Installation, version: int) -> Account | None:
    """The account that still counts under this version. The previous one counts without calls, so the phone stays reachable."""
    if installation.account.version == version:
        return installation.account
    if installation.previous and installation.previous.version == version:
        return replace(installation.previous, may_call=False)
    return None


def accounts_of(installation: Installation) -> tuple[Account, ...]:
    """The accounts that still count, newest first."""
    return (installation.account, installation.previous) if installation.previous else (installation.account,)


def is_reusable(candidate: Installation, now: datetime) -> bool:
    """Whether stage 1 repeats this candidate: nobody has used it yet and it has not expired."""
    unused = candidate.fetched_version == 0 and candidate.registered_at is None
    return unused and candidate.stage is Stage.CANDIDATE and not is_over(candidate, now)


def is_over(installation: Installation, now: datetime) -> bool:
    """Whether a candidate's 24 hours are over without a registration."""
    return installation.expires_at is not None and installation.expires_at <= now


def keep_alive(installation: Installation, now: datetime) -> Installation:
    """After a registration: a candidate lives 14 days more, noted at most once a day; an active one has no end."""
    registered = installation if installation.registered_at else replace(installation, registered_at=now)
    if registered.stage is Stage.ACTIVE:
        return registered
    end = now + REGISTERED_CANDIDATE_LIFETIME
    fresh = registered.expires_at is not None and end - registered.expires_at < timedelta(days=1)
    return registered if fresh else replace(registered, expires_at=end)


def mark_fetched(installation: Installation) -> Installation:
    """After the phone fetched its newest configuration."""
    ports = tuple(replace(port, fetched=True) for port in installation.ports)
    return replace(installation, fetched_version=installation.config_version, holds_account=True, ports=ports)


def set_overrides(installation: Installation, overrides: dict[str, str]) -> Installation:
    """With other settings of the device's own: a new configuration version where they differ."""
    if overrides == installation.overrides:
        return installation
    return replace(installation, overrides=overrides, config_version=installation.config_version + 1)


def configure(installation: Installation, profile: Profile) -> Installation:
    """With another profile: a new configuration version, and a new account where the user changed."""
    profile = fit_profile(profile, installation.vendor)
    if profile == installation.profile:
        return installation
    changed = replace(installation, profile=profile, config_version=installation.config_version + 1)
    return changed if _same_account(profile, installation.profile) else _renew_account(changed)


def promote(installation: Installation, tenant: Tenant, profile: Profile) -> Installation:
    """The candidate, or an active installation that changes hands, as the active installation of the tenant's device."""
    profile = fit_profile(profile, installation.vendor)
    active = replace(
        installation,
        stage=Stage.ACTIVE,
        tenant_id=tenant.tenant_id,
        expires_at=None,
        pairing=None,
        binding=None,
        wrong_otps=0,
        locked_until=None,
        profile=profile,
        config_version=installation.config_version + 1,
    )
    return active if _same_account(profile, installation.profile) else _renew_account(active)


def demote(installation: Installation, now: datetime) -> Installation:
    """Of a device that is offboarded: a candidate again. Its accounts end; the phone's next fetch gets one without power."""
    blank = replace(
        installation,
        stage=Stage.CANDIDATE,
        tenant_id=None,
        profile=BLANK_PROFILE,
        pairing=None,
        overrides={},
        ports=(),
        config_version=installation.config_version + 1,
        expires_at=now + OFFBOARDED_LIFETIME,
    )
    return replace(_renew_account(blank), previous=None)


def signed_out_profile(tenant: Tenant) -> Profile:
    """What an enrolled device without a user is configured with."""
    return Profile(time_zone=tenant.time_zone, emergency=tenant.emergency, overrides=tenant.overrides)


def signed_in_profile(tenant: Tenant, user: SignedInUser, policy: CallingPolicy | None) -> Profile:
    """What a device is configured with for its user. What the policy leaves to the user is not forbidden; None forbids nothing.

    Busy on busy that is *unanswered* treats a second call as one that nobody takes, so it rings like any other.
    """
    rights = policy or CallingPolicy(tenant.tenant_id, GLOBAL_POLICY)
    return replace(
        signed_out_profile(tenant),
        user=user,
        voicemail="" if rights.voicemail is Voicemail.ALWAYS_DISABLED else tenant.voicemail,
        busy_on_busy=rights.busy_on_busy is BusyOnBusy.ENABLED,
        may_forward=rights.call_redirect is not CallRedirect.DISABLED,
    )


def fit_profile(profile: Profile, vendor: str) -> Profile:
    """Without the settings that the tenant has for phones of other vendors."""
    own = profile.overrides.get(vendor)
    return replace(profile, overrides={vendor: own} if own else {})


def _same_account(new: Profile, old: Profile) -> bool:
    return (new.user.upn, new.user.number) == (old.user.upn, old.user.number) if new.user and old.user else new.user == old.user


def _renew_account(installation: Installation) -> Installation:
    user = installation.profile.user
    account = Account(
        version=installation.account.version + 1,
        aor=user.number if user else installation.id,
        may_call=user is not None,
        tenant_id=installation.tenant_id if user else None,
        upn=user.upn if user else None,
    )
    held = installation.account if installation.holds_account else installation.previous or installation.account
    return replace(installation, account=account, previous=held, holds_account=False)
