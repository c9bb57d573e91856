"""Queues of edges that were killed before they could remove them: the edges that live find and remove them, with subscription.

Every edge says in a tag on its own queue that it lives. So neither the functions nor a table are needed to tell, and an outage
of theirs makes no living edge look dead. A queue without the tag belongs to an earlier release and is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sip_edge.agent.log import log_event

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_sqs.client import SQSClient

ALIVE_TAG = "sip-edge-alive-at"  # seconds since 1970
TOUCH_SECONDS = 900
ORPHANED_SECONDS = 4 * TOUCH_SECONDS
MOST_LOOKED_AT = 200  # a topic has as many subscriptions as there are edges
_MISSING = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}


def alive_tag() -> dict[str, str]:
    """As of now."""
    return {ALIVE_TAG: str(int(time.time()))}


def is_missing(problem: Exception) -> bool:
    """Whether SQS says that there is no such queue."""
    return isinstance(problem, ClientError) and problem.response["Error"]["Code"] in _MISSING


class OrphanedQueues:
    """Those of `topic_arn`'s subscribers whose names begin with `prefix`, all but `own_name`."""

    def __init__(  # noqa: PLR0913 - two of them are clients
        self, topic_arn: str, prefix: str, own_name: str, *, sns: SNSClient, sqs: SQSClient, most: int = MOST_LOOKED_AT
    ) -> None:
        self._most = most
        self._topic_arn = topic_arn
        self._prefix = prefix
        self._own_name = own_name
        self._sns = sns
        self._sqs = sqs

    def remove(self) -> int:
        """How many were removed. What AWS refuses stays for the next time; another edge may do the same just now."""
        removed = looked_at = 0
        try:
            for name, subscription in self._others():
                looked_at += 1
                removed += self._remove_orphan(name, subscription)
                if looked_at >= self._most:
                    break
        except (BotoCoreError, ClientError) as problem:
            log_event("orphaned_queues_not_removed", problem=str(problem))
        if removed:
            log_event("orphaned_queues_removed", count=removed, looked_at=looked_at)
        return removed

    def _others(self) -> Iterator[tuple[str, str]]:
        """Queue's name and subscription of every other edge."""
        for page in self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._topic_arn):
            for item in page.get("Subscriptions", []):
                name = item["Endpoint"].rpartition(":")[2]
                if item["Protocol"] == "sqs" and name.startswith(self._prefix) and name != self._own_name:
                    yield name, item["SubscriptionArn"]

    def _remove_orphan(self, name: str, subscription: str) -> bool:
        try:
            url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
            tag = self._sqs.list_queue_tags(QueueUrl=url).get("Tags", {}).get(ALIVE_TAG, "")
        except ClientError as problem:
            if not is_missing(problem):
                raise
            url, tag = "", "0"  # the subscription alone is left
        if not tag.isdigit() or time.time() - int(tag) < ORPHANED_SECONDS:
            return False
        self._sns.unsubscribe(SubscriptionArn=subscription)
        if url:
            self._sqs.delete_queue(QueueUrl=url)
        return True
