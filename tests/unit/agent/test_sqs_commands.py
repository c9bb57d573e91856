"""Commands from the edge's own queue."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.contracts.codec import to_json
from chalicelib.contracts.edge import CommandType, EdgeCommand
from sip_edge.agent.commands import SqsCommands
from tests.sip.waiting import GENEROUS_SECONDS, wait_until

COMMAND = EdgeCommand("1", CommandType.RESYNC, "u.3", "user1", notify_event="check-sync")


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("sqs", region_name="eu-central-1")


def test_commands_are_handed_over_and_then_deleted(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="edge")["QueueUrl"]
    raw = json.dumps(to_json(COMMAND))
    for body in (raw, json.dumps({"Type": "Notification", "Message": raw}), "no command"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    handed_over: list[EdgeCommand] = []

    async def collect() -> None:
        both = asyncio.Event()

        def accept(command: EdgeCommand) -> None:
            handed_over.append(command)
            if len(handed_over) == 2:
                both.set()

        source = asyncio.ensure_future(SqsCommands(url, client=sqs, poll_seconds=0).run(accept))
        await asyncio.wait_for(both.wait(), timeout=10)
        await asyncio.to_thread(wait_until, lambda: _invisible(sqs, url) == 1)  # deleted after they were handed over
        source.cancel()
        await asyncio.wait([source])

    asyncio.run(collect())
    assert [COMMAND, COMMAND] == handed_over
    assert 1 == _invisible(sqs, url)  # the unreadable one waits for the dead-letter rule


def test_a_command_that_fails_does_not_end_those_after_it(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a disk that is full when its end is stored. The message stays in the queue and comes again."""
    monkeypatch.setattr("sip_edge.agent.commands._PAUSE_SECONDS", 0.0)
    url = sqs.create_queue(QueueName="edge")["QueueUrl"]
    second = replace(COMMAND, id="2")
    tried: list[str] = []

    async def collect() -> None:
        done = asyncio.Event()

        def accept(command: EdgeCommand) -> None:
            tried.append(command.id)
            if command.id == "1":
                raise sqlite3.OperationalError
            done.set()

        source = asyncio.ensure_future(SqsCommands(url, client=sqs, poll_seconds=0).run(accept))
        await asyncio.to_thread(sqs.send_message, QueueUrl=url, MessageBody=json.dumps(to_json(COMMAND)))
        await asyncio.to_thread(wait_until, lambda: tried == ["1"])
        await asyncio.to_thread(sqs.send_message, QueueUrl=url, MessageBody=json.dumps(to_json(second)))
        await asyncio.wait_for(done.wait(), timeout=GENEROUS_SECONDS)
        source.cancel()
        await asyncio.wait([source])

    asyncio.run(collect())
    assert ["1", "2"] == tried


def _invisible(sqs: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessagesNotVisible"]
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"][names[0]])
