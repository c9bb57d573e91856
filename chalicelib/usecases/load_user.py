"""A user with the policy that applies to them: what every sign-in and every sync decides upon."""

from __future__ import annotations

from chalicelib.domain.directory import GLOBAL_POLICY, CallingPolicy, User
from chalicelib.domain.errors import NotFound
from chalicelib.domain.identifiers import TenantId, Upn
from chalicelib.domain.tenant import Tenant
from chalicelib.usecases.ports import Gateway


def load_tenant(gateway: Gateway, tenant_id: TenantId) -> Tenant:
    """The tenant's settings; the defaults, not enabled, where nobody has set any."""
    return gateway.store.load(Tenant, tenant_id) or Tenant(tenant_id)


def load_user(gateway: Gateway, tenant_id: TenantId, upn: Upn) -> User:
    """One user of the tenant's directory. Raises NotFound."""
    user = gateway.directory.load_users(tenant_id, [upn]).get(upn)
    if user is None:
        raise NotFound(f"The directory has no user {upn}.")
    return user


def load_user_and_policy(gateway: Gateway, tenant_id: TenantId, upn: Upn) -> tuple[Tenant, User | None, CallingPolicy | None]:
    """Three reads with the local directory. The policy is None where the user's is not known here."""
    tenant = load_tenant(gateway, tenant_id)
    user = gateway.directory.load_users(tenant_id, [upn]).get(upn)
    policy = gateway.store.load(CallingPolicy, tenant_id, user.policy or GLOBAL_POLICY) if user else None
    return tenant, user, policy
