"""Who exists at the development identity provider: people, and the applications that may ask for tokens."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path

DEVELOPMENT_TENANT = "d0000000-0000-4000-8000-000000000001"
ANY_TENANT = frozenset({"common", "organizations"})  # authorities that leave the tenant to whoever signs in


GRAPH_PERMISSIONS = ("TeamsUserConfiguration.Read.All", "User.Read.All", "Presence.ReadWrite.All")  # docs/graph.md


class BadAccountsFile(ValueError):
    """The file of extra users cannot be used; the message says why."""


@dataclass(frozen=True)
class Person:
    """A user. The same name is another person in another tenant, as at Entra."""

    upn: str
    name: str
    roles: tuple[str, ...] = ()

    def oid(self, tenant_id: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{tenant_id}/{self.upn}"))


@dataclass(frozen=True)
class Application:
    """A client. `secret` is None for a public one. `loopback_only`: its published secret is worth nothing from elsewhere.

    `roles` are its app roles at the gateway's API; `graph_permissions` what every tenant lets it do at Microsoft Graph.
    """

    id: str
    secret: str | None
    roles: tuple[str, ...] = ()
    loopback_only: bool = False
    graph_permissions: tuple[str, ...] = ()


PEOPLE = (
    Person("anna@example.com", "Anna Berg"),
    Person("ben@example.com", "Ben Okafor"),
    Person("admin@example.com", "Ada Admin", ("Gateway.Admin",)),
)


class Accounts:
    """The known people and applications."""

    def __init__(self, web_client_secret: str, extra_people: tuple[Person, ...] = ()) -> None:
        self.people = {person.upn: person for person in (*PEOPLE, *extra_people)}
        applications = [
            Application("sip-gateway", web_client_secret, graph_permissions=GRAPH_PERMISSIONS),
            Application("sip-gateway-cli", None),
            *(
                Application(f"development-{role.lower()}", "development", (f"Gateway.{role}",), loopback_only=True)
                for role in ("Admin", "Technician", "Reader")
            ),
        ]
        self.applications = {application.id: application for application in applications}

    def person(self, upn: str) -> Person | None:
        """Anybody with a user name exists here; a stranger's name is made of it. None where it is no user name."""
        upn = upn.strip().lower()
        local, at, domain = upn.partition("@")
        if not (local and at and domain) or any(mark.isspace() for mark in upn):
            return None
        return self.people.get(upn) or Person(upn, local.replace(".", " ").replace("_", " ").title())


def load_people(path: Path) -> tuple[Person, ...]:
    """Extra users from JSON: `[{"upn": …, "name": …, "roles": […]}]`. Raises BadAccountsFile."""
    try:
        entries = json.loads(path.read_text())
        if not isinstance(entries, list):
            raise TypeError("not a list")  # noqa: TRY301 - one message for all that can be wrong
        return tuple(Person(entry["upn"].lower(), entry["name"], tuple(entry.get("roles", ()))) for entry in entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadAccountsFile(f"{path} must be a JSON list of {{upn, name, roles}}: {error!r}") from error
