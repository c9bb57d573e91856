"""The app's SQS functions (`@app.on_sqs_message`) run inside the HTTP front, as Lambda runs them in the cloud.

A message whose function raises comes again after a while, as SQS lets it. What dies with this process is found again by the
app's own schedule.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from chalice.app import Chalice, SQSEventConfig

from chalicelib.adapters.work.in_process import InProcessQueue
from chalicelib.contracts.codec import to_json
from chalicelib.domain.job import JobPart
from local.gateway_events import LambdaContext

AGAIN_AFTER_SECONDS = 30
WORKERS = 2  # a long job of one tenant does not hold up another's

Function = Callable[[dict[str, Any], LambdaContext], Any]


def find_consumers(app: Chalice) -> Iterator[tuple[str, Function]]:
    """Every function of the app that takes messages, by name."""
    for source in app.event_sources:
        if isinstance(source, SQSEventConfig):
            yield source.name, app.handler_map[source.name]


def sqs_event(part: JobPart) -> dict[str, Any]:
    """The event of one message."""
    record = {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": "local",
        "body": json.dumps(to_json(part)),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:local:000000000000:sipgw-work",
        "awsRegion": "local",
    }
    return {"Records": [record]}


def start_workers(
    queue: InProcessQueue, name: str, function: Function, log_event: Callable[..., None]
) -> list[threading.Thread]:
    """Threads that take messages until the queue is closed. They end with the process: a job that breaks off goes on later."""
    workers = [
        threading.Thread(target=_work, args=(queue, name, function, log_event), name=f"work-{number}", daemon=True)
        for number in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    return workers


def _work(queue: InProcessQueue, name: str, function: Function, log_event: Callable[..., None]) -> None:
    while (part := queue.take()) is not None:
        event = sqs_event(part)
        try:
            function(event, LambdaContext(name, event["Records"][0]["messageId"]))
        except Exception as error:  # noqa: BLE001 - the outermost loop of a worker: one bad part must not end it
            log_event("part_failed", level="ERROR", function=name, job_id=part.job_id, error=repr(error))
            queue.put(part, AGAIN_AFTER_SECONDS)
