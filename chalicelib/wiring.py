"""Joins settings, adapters and use cases: the one place that knows every concrete class. Built once per process."""

from __future__ import annotations

import base64
import os
import secrets
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from chalicelib.adapters.commands.unix_socket import NoLink, UnixSocketLink
from chalicelib.adapters.directory import LocalDirectory, LocalPresence
from chalicelib.adapters.entra.token_check import EntraTokenCheck
from chalicelib.adapters.entra.web_sign_in import EntraWebSignIn
from chalicelib.adapters.secrets import load_secrets
from chalicelib.adapters.work.in_process import queue_of_process
from chalicelib.domain.keys import Keys
from chalicelib.domain.secret import Secret
from chalicelib.settings import BadSetting, Settings
from chalicelib.usecases.ports import CommandLink, Directory, Gateway, Presence, Store, WorkQueue

_in_use: list[Gateway] = []  # empty, or the one that `use` was given


def gateway() -> Gateway:
    """The gateway of this process: the one in use, else the one of its environment. Raises BadSetting."""
    return _in_use[0] if _in_use else _own_gateway()


def use(other: Gateway | None) -> None:
    """Serves with `other` from now on, for tests that bring their own adapters; None: the process's own again."""
    _in_use[:] = [other] if other else []


@cache
def _own_gateway() -> Gateway:
    return build_gateway(Settings.from_environment(os.environ))


def build_gateway(settings: Settings) -> Gateway:
    """A gateway with the adapters that the settings name."""
    region_secrets = load_secrets(settings.secrets_source)
    store = _store(settings)
    directory, presence = _directory(settings, store, region_secrets.entra_client_secret)
    return Gateway(
        settings=settings,
        store=store,
        directory=directory,
        presence=presence,
        commands=_command_link(settings.commands_link),
        work=_work_queue(settings.work_queue),
        keys=Keys(region_secrets.region_key),
        edge_credentials=region_secrets.edge_credentials,
        web_sign_in=EntraWebSignIn(settings, region_secrets.entra_client_secret),
        token_check=EntraTokenCheck(settings),
        clock=now,
        random_text=random_text,
        trust_anchor=_trust_anchor(settings.trust_anchor_path),
    )


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


def random_text() -> str:
    """128 random bits as 26 characters of a-z2-7."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def _store(settings: Settings) -> Store:
    if settings.store == "dynamodb":
        from chalicelib.adapters.dynamodb import DynamoStore  # noqa: PLC0415 - one machine does not load botocore

        return DynamoStore(settings.region_table, settings.directory_table)
    from chalicelib.adapters.sqlite import SqliteStore  # noqa: PLC0415 - the cloud needs no SQLite

    return SqliteStore(settings.sqlite_path)


def _directory(settings: Settings, store: Store, client_secret: Secret) -> tuple[Directory, Presence]:
    if settings.directory != "graph":
        return LocalDirectory(store), LocalPresence()
    from chalicelib.adapters.graph import GraphClient, GraphDirectory, GraphPresence, GraphTokens  # noqa: PLC0415 - as DynamoDB

    if not settings.entra_client_id:
        raise BadSetting("SIPGW_ENTRA_CLIENT_ID must name the application that asks Microsoft Graph (SIPGW_DIRECTORY=graph)")
    client = GraphClient(settings, GraphTokens(settings, client_secret))
    return GraphDirectory(client), GraphPresence(client)


def _command_link(place: str) -> CommandLink:
    scheme, _, address = place.partition(":")
    if scheme == "unix":
        return UnixSocketLink(address)
    if scheme == "sns":
        from chalicelib.adapters.commands.sns import SnsLink  # noqa: PLC0415 - one machine does not load botocore

        return SnsLink(address)
    if scheme == "none":
        return NoLink()
    raise BadSetting("SIPGW_COMMANDS_LINK must be unix:PATH, sns:TOPIC_ARN or none")


def _work_queue(place: str) -> WorkQueue:
    scheme, _, address = place.partition(":")
    if scheme == "sqs" and address.startswith("https://sqs."):
        from chalicelib.adapters.work.sqs import SqsQueue  # noqa: PLC0415 - one machine does not load botocore

        return SqsQueue(address)
    if place == "process":
        return queue_of_process()
    raise BadSetting("SIPGW_WORK_QUEUE must be process, or sqs:QUEUE_URL with a URL such as https://sqs.REGION.amazonaws.com/…")


def _trust_anchor(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError as error:
        raise BadSetting(f"SIPGW_TRUST_ANCHOR_PATH names {path}, which cannot be read: {error.strerror}") from None
