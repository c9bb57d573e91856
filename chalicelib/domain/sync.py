"""What a policy sync does to one installation: nothing, another configuration, or a sign-out with its reason."""

from __future__ import annotations

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.directory import CallingPolicy, User, decide_sign_in
from chalicelib.domain.errors import CallerFault, UserWithoutPolicy
from chalicelib.domain.installation import Installation, Profile, fit_profile, signed_in_profile, signed_out_profile
from chalicelib.domain.tenant import Tenant


@dataclass(frozen=True)
class SyncDecision:
    """The profile that the device should have; `sign_out_reason` is an error's code where the user lost the right to it.

    `policy_unknown`: they lost it because a policy is assigned that nobody has imported here.
    """

    profile: Profile
    sign_out_reason: str = ""
    policy_unknown: bool = False


def decide_sync(tenant: Tenant, installation: Installation, user: User | None, policy: CallingPolicy | None) -> SyncDecision:
    """Compares what was last applied with the directory as it is now. The same profile back means: do nothing."""
    if installation.profile.user is None:
        return SyncDecision(fit_profile(signed_out_profile(tenant), installation.vendor))
    try:
        signed_in = decide_sign_in(tenant, user, policy)
    except CallerFault as refusal:
        unknown = isinstance(refusal, UserWithoutPolicy) and policy is None
        return SyncDecision(fit_profile(signed_out_profile(tenant), installation.vendor), refusal.code, unknown)
    return SyncDecision(fit_profile(signed_in_profile(tenant, signed_in, policy), installation.vendor))
