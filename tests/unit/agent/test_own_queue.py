"""The queue that an edge makes for itself behind the topic of commands."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.adapters.commands.sns import SnsLink
from chalicelib.contracts.edge import EVERY_EDGE, CommandType, EdgeCommand
from sip_edge.agent.own_queue import OwnQueueCommands
from tests.sip.waiting import wait_until

EVERYBODYS = EdgeCommand("3", CommandType.FORGET, "w.1", "user3")
OURS = EdgeCommand("1", CommandType.RESYNC, "u.3", "user1", notify_event="check-sync")
THEIRS = EdgeCommand("2", CommandType.RESTART, "v.1", "user2", notify_event="check-sync;reboot=true")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield {name: boto3.client(name, region_name="eu-central-1") for name in ("sns", "sqs")}


def test_an_edge_gets_its_own_commands_and_those_for_all_and_leaves_nothing_behind(aws: dict[str, Any]) -> None:
    topic = aws["sns"].create_topic(Name="commands")["TopicArn"]
    handed_over: list[EdgeCommand] = []

    async def work() -> None:
        got = asyncio.Event()

        def accept(command: EdgeCommand) -> None:
            handed_over.append(command)
            if len(handed_over) == len([EVERYBODYS, OURS]):
                got.set()

        source = asyncio.ensure_future(OwnQueueCommands(topic, "ip-10-0-1-23", "sipgw-test-edge-", **aws).run(accept))
        await asyncio.to_thread(wait_until, lambda: bool(_subscriptions(aws, topic)))
        link = SnsLink(topic)
        assert await asyncio.to_thread(link.send, "another", [THEIRS])
        assert await asyncio.to_thread(link.send, EVERY_EDGE, [EVERYBODYS])
        assert await asyncio.to_thread(link.send, "ip-10-0-1-23", [OURS])
        await asyncio.wait_for(got.wait(), timeout=10)
        source.cancel()
        await asyncio.wait([source])

    asyncio.run(work())
    assert {EVERYBODYS, OURS} == set(handed_over)
    assert ([], []) == (_subscriptions(aws, topic), aws["sqs"].list_queues().get("QueueUrls", []))


def test_the_queue_of_a_task_that_ended_at_once_is_taken_over(aws: dict[str, Any]) -> None:
    topic = aws["sns"].create_topic(Name="commands")["TopicArn"]
    former = OwnQueueCommands(topic, "e", "edge-", **aws)._make()
    again = OwnQueueCommands(topic, "e", "edge-", **aws)._make()

    assert former == again
    attributes = aws["sqs"].get_queue_attributes(QueueUrl=again[0], AttributeNames=["All"])["Attributes"]
    assert ("true", True) == (attributes["SqsManagedSseEnabled"], topic in attributes["Policy"])


def _subscriptions(aws: dict[str, Any], topic: str) -> list[Any]:
    found: list[Any] = aws["sns"].list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return found
