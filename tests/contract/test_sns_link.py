"""The CommandLink port on SNS, with a queue for each edge whose subscription filters on `edge_id`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from chalicelib.adapters.commands.sns import SnsLink
from chalicelib.contracts.edge import EVERY_EDGE, CommandType, EdgeCommand

REGION = "eu-central-1"


class Edges:
    """A topic with the queues of two edges."""

    def __init__(self) -> None:
        session = botocore.session.get_session()
        self._sns: Any = session.create_client("sns", region_name=REGION)
        self._sqs: Any = session.create_client("sqs", region_name=REGION)
        self.topic_arn = str(self._sns.create_topic(Name="commands")["TopicArn"])
        self._queues = {edge_id: self._subscribe(edge_id) for edge_id in ("edge-1", "edge-2")}

    def _subscribe(self, edge_id: str) -> str:
        url = str(self._sqs.create_queue(QueueName=edge_id)["QueueUrl"])
        arn = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        filtered = {"FilterPolicy": json.dumps({"edge_id": [edge_id, EVERY_EDGE]}), "RawMessageDelivery": "true"}
        self._sns.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=arn, Attributes=filtered)
        return url

    def received(self, edge_id: str) -> list[str]:
        """The ids of the commands in one edge's queue, in any order."""
        ids: list[str] = []
        while True:
            answer = self._sqs.receive_message(QueueUrl=self._queues[edge_id], MaxNumberOfMessages=10)
            if not answer.get("Messages"):
                return sorted(ids)
            for message in answer["Messages"]:
                ids.append(json.loads(message["Body"])["id"])
                self._sqs.delete_message(QueueUrl=self._queues[edge_id], ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture
def edges(monkeypatch: pytest.MonkeyPatch) -> Iterator[Edges]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield Edges()


def commands(count: int) -> list[EdgeCommand]:
    return [EdgeCommand(f"c{number:02}", CommandType.FORGET, "x.1", "x") for number in range(count)]


def test_a_command_goes_to_its_edge_alone(edges: Edges) -> None:
    assert SnsLink(edges.topic_arn).send("edge-1", commands(1))
    assert (["c00"], []) == (edges.received("edge-1"), edges.received("edge-2"))


def test_what_is_for_every_edge_goes_to_each(edges: Edges) -> None:
    assert SnsLink(edges.topic_arn).send(EVERY_EDGE, commands(1))
    assert (["c00"], ["c00"]) == (edges.received("edge-1"), edges.received("edge-2"))


def test_more_than_one_batch_holds_are_all_sent(edges: Edges) -> None:
    assert SnsLink(edges.topic_arn).send("edge-2", commands(23))
    assert [command.id for command in commands(23)] == edges.received("edge-2")


def test_a_topic_that_is_not_there_is_out_of_reach(edges: Edges) -> None:
    assert not SnsLink(f"{edges.topic_arn}-gone").send("edge-1", commands(1))
