"""The Presence port on Microsoft Graph: the user's preferred presence in Teams.

Sources: "presence: setUserPreferredPresence" and "presence: clearUserPreferredPresence", v1.0. Teams shows it while the user
has a presence session, that is, is signed in to Teams somewhere; it ends by itself after a day.
"""

from __future__ import annotations

from urllib.parse import quote

from chalicelib.adapters.graph.client import GraphClient
from chalicelib.adapters.graph.failures import unreadable
from chalicelib.adapters.graph.users import account_filters, read_rows
from chalicelib.domain.identifiers import TenantId, Upn

SECONDS_A_STEP = 0.8  # there are two, and a feature code is answered within two seconds
_DO_NOT_DISTURB = {"availability": "DoNotDisturb", "activity": "DoNotDisturb", "expirationDuration": "P1D"}


class GraphPresence:
    """See the module. Two requests: the user's object id, and the action."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client

    def show_do_not_disturb(self, tenant_id: TenantId, upn: Upn, *, on: bool) -> None:
        """Raises DirectoryAway, also where the directory does not know the user."""
        (named,) = account_filters("userPrincipalName", [upn])
        path = f"users?$filter={quote(named, safe='')}&$select=id"
        (found,) = self._client.get_many(tenant_id, [path], SECONDS_A_STEP)
        rows = read_rows(found or {})
        if not rows:
            raise unreadable()  # who dials at a phone was in the directory
        action = "setUserPreferredPresence" if on else "clearUserPreferredPresence"
        place = f"users/{quote(rows[0]['id'], safe='')}/presence/{action}"
        self._client.post(tenant_id, place, _DO_NOT_DISTURB if on else {}, SECONDS_A_STEP)
