"""Microsoft Graph's double with the development identity provider beside it, and the gateway's adapters in front of both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from chalicelib.adapters.graph import GraphClient, GraphDirectory, GraphPresence, GraphTokens
from chalicelib.adapters.graph.client import Patience
from chalicelib.domain.directory import User
from chalicelib.domain.secret import Secret
from chalicelib.settings import Settings
from local.graph.in_process import running_graph
from local.graph.server import GraphServer
from local.graph.tenants import Account
from local.identity_provider.in_process import running_identity_provider
from local.identity_provider.server import IdentityServer

CLIENT_SECRET = "the-web-secret"


@dataclass
class StillTime:
    """A clock that only sleeping moves, and chance without chance."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 2))
        self.now += seconds

    def patience(self, request_seconds: float = 5.0) -> Patience:
        return Patience(lambda: self.now, self.sleep, lambda: 0.5, request_seconds)


@dataclass
class GraphWorld:
    """Both servers, and one client of them."""

    identity: IdentityServer
    graph: GraphServer
    time: StillTime
    settings: Settings
    client: GraphClient

    @property
    def directory(self) -> GraphDirectory:
        return GraphDirectory(self.client)

    @property
    def presence(self) -> GraphPresence:
        return GraphPresence(self.client)

    def another_client(self, secret: str = CLIENT_SECRET, request_seconds: float = 5.0, **settings: str) -> GraphClient:
        changed = replace(self.settings, **settings)
        return GraphClient(changed, GraphTokens(changed, Secret(secret)), self.time.patience(request_seconds))

    def put(self, *users: User) -> None:
        """As an administrator of Teams would."""
        for user in users:
            line = f"tel:{user.number};ext={user.extension}" if user.extension else user.number
            numbers = ((line, "primary"),) if user.number else ()
            account = Account(user.upn, user.display_name, numbers, user.policy, enabled=user.enabled)
            self.graph.tenants.put(user.tenant_id, account)

    def grant(self, *permissions: str) -> None:
        """The tenants consent to these permissions, and no others."""
        applications = self.identity.grants.accounts.applications
        applications["sip-gateway"] = replace(applications["sip-gateway"], graph_permissions=permissions)

    @property
    def asked(self) -> list[str]:
        """What Graph counts: `GET /users` and others, parts of batches too."""
        return self.graph.answerer.asked


@contextmanager
def running_graph_world(folder: Path) -> Iterator[GraphWorld]:
    with running_identity_provider(folder, CLIENT_SECRET) as identity, running_graph(identity.grants.keys.key_set) as graph:
        settings = Settings(
            entra_url=identity.public_url, entra_client_id="sip-gateway", directory="graph", graph_url=graph.url
        )
        time = StillTime()
        client = GraphClient(settings, GraphTokens(settings, Secret(CLIENT_SECRET)), time.patience())
        yield GraphWorld(identity, graph, time, settings, client)
