"""The WorkQueue port in the cloud: an SQS queue whose messages the function `run_part` takes, one at a time."""

from __future__ import annotations

import json

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.aws import make_client
from chalicelib.contracts.codec import to_json
from chalicelib.domain.job import LONGEST_WAIT_SECONDS, JobPart


class SqsQueue:
    """Sends to `queue_url`, such as https://sqs.eu-central-1.amazonaws.com/123456789012/sipgw-work."""

    def __init__(self, queue_url: str) -> None:
        region = queue_url.split(".")[1]
        config = Config(connect_timeout=1, read_timeout=3, retries={"max_attempts": 3, "mode": "standard"})
        self._client = make_client("sqs", region=region, config=config)
        self._queue_url = queue_url

    def put(self, part: JobPart, delay_seconds: int = 0) -> bool:
        """False where SQS refuses or does not answer; the job is taken up within minutes all the same."""
        delay = min(delay_seconds, LONGEST_WAIT_SECONDS)
        body = json.dumps(to_json(part))
        try:
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=body, DelaySeconds=delay)
        except (BotoCoreError, ClientError):
            return False
        return True
