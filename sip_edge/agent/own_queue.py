"""The edge's own SQS queue in the cloud: made at the start, subscribed to the topic of commands, gone at the end.

Edges come and go with the load, so nothing can be made for them beforehand; what one leaves behind that was killed, the others
remove. While there is no queue nothing is lost: commands come with the answers to events as well.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.contracts.edge import EVERY_EDGE, EdgeCommand
from sip_edge.agent.commands import SqsCommands
from sip_edge.agent.log import log_event
from sip_edge.agent.orphaned_queues import TOUCH_SECONDS, OrphanedQueues, alive_tag, is_missing

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_sqs.client import SQSClient

RETENTION_SECONDS = 3600  # what an edge has not read by then belongs to phones that registered elsewhere
# Of one call, which is tried twice: an agent that ends waits for the one under way, and an AWS that is away must not keep it.
_CONNECT_SECONDS, _ANSWER_SECONDS = 2, 4
PAUSE_SECONDS = 10.0  # SQS refuses a name for 60 seconds after its queue was removed


class OwnQueueCommands:
    """Commands that the functions publish to `topic_arn` for the edge `edge_id`; the queue's name is `prefix` and that."""

    def __init__(  # noqa: PLR0913 - two of them are clients
        self,
        topic_arn: str,
        edge_id: str,
        prefix: str,
        *,
        sns: SNSClient,
        sqs: SQSClient,
        reader: SQSClient | None = None,
        touch_seconds: float = TOUCH_SECONDS,
    ) -> None:
        """`reader` may wait for commands longer than `sqs` for anything else; left out: it is the same."""
        self._reader = reader or sqs
        self._touch_seconds = touch_seconds
        self._topic_arn = topic_arn
        self._edge_id = edge_id
        self._name = f"{prefix}{edge_id}"
        self._sns = sns
        self._sqs = sqs
        self._orphans = OrphanedQueues(topic_arn, prefix, self._name, sns=sns, sqs=sqs)

    async def run(self, accept: Callable[[EdgeCommand], None]) -> None:
        while True:
            url, subscription = await self._open()
            log_event("command_queue_opened", queue=self._name)
            reader = asyncio.ensure_future(SqsCommands(url, client=self._reader).run(accept))
            try:
                await self._keep(url)
            finally:
                reader.cancel()
                self._close(url, subscription)

    async def _keep(self, url: str) -> None:
        """Says that this edge lives, and removes what dead ones left. Returns where the queue is not there any more."""
        while await asyncio.to_thread(self._touch, url):
            await asyncio.to_thread(self._orphans.remove)
            await asyncio.sleep(self._touch_seconds)
        log_event("command_queue_gone", queue=self._name)

    def _touch(self, url: str) -> bool:
        try:
            self._sqs.tag_queue(QueueUrl=url, Tags=alive_tag())
        except (BotoCoreError, ClientError) as problem:
            log_event("command_queue_not_touched", queue=self._name, problem=str(problem))
            return not is_missing(problem)
        return True

    async def _open(self) -> tuple[str, str]:
        while True:
            try:
                return await asyncio.to_thread(self._make)
            except (BotoCoreError, ClientError) as problem:
                log_event("command_queue_not_made", queue=self._name, problem=str(problem))
                await asyncio.sleep(PAUSE_SECONDS)

    def _make(self) -> tuple[str, str]:
        """The queue's URL and the subscription's ARN. Both may be there from a task that ended at once: they are taken over."""
        url = self._sqs.create_queue(QueueName=self._name, tags=alive_tag())["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": self._topic_arn}},
                }
            ],
        }
        attributes = {
            "MessageRetentionPeriod": str(RETENTION_SECONDS),
            "SqsManagedSseEnabled": "true",
            "Policy": json.dumps(policy),
        }
        self._sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)  # type: ignore[arg-type]  # names as plain text
        subscription = self._sns.subscribe(
            TopicArn=self._topic_arn,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"edge_id": [self._edge_id, EVERY_EDGE]})},
            ReturnSubscriptionArn=True,
        )
        return url, subscription["SubscriptionArn"]

    def _close(self, url: str, subscription: str) -> None:
        try:
            self._sns.unsubscribe(SubscriptionArn=subscription)
            self._sqs.delete_queue(QueueUrl=url)
        except (BotoCoreError, ClientError) as problem:
            log_event("command_queue_left_behind", queue=self._name, problem=str(problem))


def open_own_queue(topic_arn: str, edge_id: str, prefix: str) -> OwnQueueCommands:
    """With clients of the topic's region."""
    import boto3  # noqa: PLC0415 - 20 MB that a local edge does not need
    from botocore.config import Config  # noqa: PLC0415 - as boto3

    region = topic_arn.split(":")[3]
    soon = Config(connect_timeout=_CONNECT_SECONDS, read_timeout=_ANSWER_SECONDS, retries={"total_max_attempts": 2})
    return OwnQueueCommands(
        topic_arn,
        edge_id,
        prefix,
        sns=boto3.client("sns", region_name=region, config=soon),
        sqs=boto3.client("sqs", region_name=region, config=soon),
        reader=boto3.client("sqs", region_name=region),
    )
