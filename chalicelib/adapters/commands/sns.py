"""The CommandLink port in the cloud: an SNS topic whose subscriptions, one SQS queue per edge, filter on `edge_id`.

The filter of an edge's subscription lets its own id and `*` through: `{"edge_id": ["EDGE_ID", "*"]}`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.aws import make_client
from chalicelib.contracts.codec import to_json
from chalicelib.contracts.edge import EdgeCommand

MOST_IN_A_BATCH = 10  # PublishBatch


class SnsLink:
    """Publishes to `topic_arn`, one message a command."""

    def __init__(self, topic_arn: str) -> None:
        self._topic_arn = topic_arn

    @cached_property
    def _client(self) -> Any:
        """Made by the first command: most requests send none, and a client is a third of a start."""
        region = self._topic_arn.split(":")[3]
        config = Config(connect_timeout=1, read_timeout=3, retries={"max_attempts": 3, "mode": "standard"})
        return make_client("sns", region=region, config=config)

    def send(self, edge_id: str, commands: Sequence[EdgeCommand]) -> bool:
        """False where SNS refuses or does not answer; the commands then wait, and the edge carries out none twice."""
        parts = (commands[start : start + MOST_IN_A_BATCH] for start in range(0, len(commands), MOST_IN_A_BATCH))
        return all(self._publish(edge_id, part) for part in parts)

    def _publish(self, edge_id: str, commands: Sequence[EdgeCommand]) -> bool:
        entries = [
            {
                "Id": str(index),
                "Message": json.dumps(to_json(command)),
                "MessageAttributes": {"edge_id": {"DataType": "String", "StringValue": edge_id}},
            }
            for index, command in enumerate(commands)
        ]
        try:
            answer = self._client.publish_batch(TopicArn=self._topic_arn, PublishBatchRequestEntries=entries)
        except (BotoCoreError, ClientError):
            return False
        return not answer.get("Failed")
