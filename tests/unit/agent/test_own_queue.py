"""The queue that an edge makes for itself behind the topic of commands."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.adapters.commands.sns import SnsLink
from chalicelib.contracts.edge import EVERY_EDGE, CommandType, EdgeCommand
from sip_edge.agent.orphaned_queues import ALIVE_TAG, ORPHANED_SECONDS, OrphanedQueues
from sip_edge.agent.own_queue import OwnQueueCommands, open_own_queue
from tests.ports import free_port
from tests.sip.waiting import GENEROUS_SECONDS, wait_until

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


def _leave_behind(aws: dict[str, Any], topic: str, edge_id: str, *, touched_seconds_ago: int | None) -> str:
    """What an edge leaves that was killed; its queue's name. None: it is of an earlier release, without a tag."""
    url, _ = OwnQueueCommands(topic, edge_id, "edge-", **aws)._make()
    aws["sqs"].untag_queue(QueueUrl=url, TagKeys=[ALIVE_TAG])
    if touched_seconds_ago is not None:
        aws["sqs"].tag_queue(QueueUrl=url, Tags={ALIVE_TAG: str(int(time.time()) - touched_seconds_ago)})
    return url.rpartition("/")[2]


def _queues(aws: dict[str, Any]) -> set[str]:
    return {url.rpartition("/")[2] for url in aws["sqs"].list_queues().get("QueueUrls", [])}


def _subscribed(aws: dict[str, Any], topic: str) -> set[str]:
    return {item["Endpoint"].rpartition(":")[2] for item in _subscriptions(aws, topic)}


def test_queues_of_killed_edges_go_and_those_of_living_ones_stay(aws: dict[str, Any]) -> None:
    topic = aws["sns"].create_topic(Name="commands")["TopicArn"]
    dead = {_leave_behind(aws, topic, name, touched_seconds_ago=ORPHANED_SECONDS + 1) for name in ("dead1", "dead2")}
    living = _leave_behind(aws, topic, "living", touched_seconds_ago=ORPHANED_SECONDS - 60)
    former = _leave_behind(aws, topic, "former", touched_seconds_ago=None)
    own = _leave_behind(aws, topic, "own", touched_seconds_ago=ORPHANED_SECONDS + 1)
    other_region = aws["sqs"].create_queue(QueueName="work", tags={ALIVE_TAG: "1"})["QueueUrl"].rpartition("/")[2]
    aws["sns"].subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:eu-central-1:123456789012:{other_region}")
    before = _queues(aws)
    orphans = OrphanedQueues(topic, "edge-", own, **aws)
    removed = [orphans.remove(), orphans.remove()]

    assert {*dead, living, former, own, other_region} == before
    assert [2, 0] == removed
    assert {living, former, own, other_region} == _queues(aws) == _subscribed(aws, topic)


def test_a_subscription_whose_queue_is_gone_goes_as_well(aws: dict[str, Any]) -> None:
    topic = aws["sns"].create_topic(Name="commands")["TopicArn"]
    url, _ = OwnQueueCommands(topic, "dead", "edge-", **aws)._make()
    aws["sqs"].delete_queue(QueueUrl=url)

    assert 1 == OrphanedQueues(topic, "edge-", "edge-own", **aws).remove()
    assert set() == _subscribed(aws, topic)


def test_a_run_looks_at_so_many_queues_and_no_more(aws: dict[str, Any]) -> None:
    topic = aws["sns"].create_topic(Name="commands")["TopicArn"]
    for number in range(5):
        _leave_behind(aws, topic, f"dead{number}", touched_seconds_ago=ORPHANED_SECONDS + 1)
    orphans = OrphanedQueues(topic, "edge-", "edge-own", **aws, most=2)

    assert [2, 2, 1, 0] == [orphans.remove() for _ in range(4)]


def test_an_edge_that_starts_removes_what_another_left_and_says_that_it_lives(aws: dict[str, Any]) -> None:
    topic = aws["sns"].create_topic(Name="commands")["TopicArn"]
    dead = _leave_behind(aws, topic, "dead", touched_seconds_ago=ORPHANED_SECONDS + 1)

    async def work() -> dict[str, str]:
        source = asyncio.ensure_future(OwnQueueCommands(topic, "new", "edge-", **aws).run(lambda _: None))
        await asyncio.to_thread(wait_until, lambda: dead not in _queues(aws) and "edge-new" in _queues(aws))
        tags: dict[str, str] = aws["sqs"].list_queue_tags(QueueUrl=aws["sqs"].get_queue_url(QueueName="edge-new")["QueueUrl"])[
            "Tags"
        ]
        source.cancel()
        await asyncio.wait([source])
        return tags

    assert time.time() - int(asyncio.run(work())[ALIVE_TAG]) < ORPHANED_SECONDS


def test_an_edge_whose_queue_was_removed_makes_another(aws: dict[str, Any]) -> None:
    topic = aws["sns"].create_topic(Name="commands")["TopicArn"]

    async def work() -> None:
        source = asyncio.ensure_future(OwnQueueCommands(topic, "e", "edge-", **aws, touch_seconds=0.1).run(lambda _: None))
        await asyncio.to_thread(wait_until, lambda: _subscribed(aws, topic))
        url = aws["sqs"].get_queue_url(QueueName="edge-e")["QueueUrl"]
        aws["sqs"].send_message(QueueUrl=url, MessageBody="marks the first one")
        aws["sqs"].delete_queue(QueueUrl=url)
        await asyncio.to_thread(wait_until, lambda: "edge-e" in _queues(aws) and "edge-e" in _subscribed(aws, topic))
        source.cancel()
        await asyncio.wait([source])

    asyncio.run(work())


def _subscriptions(aws: dict[str, Any], topic: str) -> list[Any]:
    found: list[Any] = aws["sns"].list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return found


def test_an_aws_that_does_not_answer_keeps_no_agent_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waited for minutes, until its container was killed."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    asked = threading.Event()

    async def work() -> None:
        source = open_own_queue("arn:aws:sns:eu-central-1:123456789012:commands", "e1", "sipgw-test-edge-")
        running = asyncio.ensure_future(source.run(lambda _: None))
        await asyncio.to_thread(asked.wait, GENEROUS_SECONDS)
        running.cancel()
        await asyncio.wait([running])

    with socket.create_server(("127.0.0.1", free_port())) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        ending = threading.Thread(target=asyncio.run, args=(work(),), daemon=True)  # as the agent, it waits for its threads
        ending.start()
        silent.settimeout(GENEROUS_SECONDS)
        with silent.accept()[0]:
            asked.set()
            ending.join(GENEROUS_SECONDS)
    assert not ending.is_alive()
