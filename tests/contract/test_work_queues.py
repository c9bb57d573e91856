"""The WorkQueue port: a queue in the process, and SQS."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import botocore.session
import pytest
from moto import mock_aws

from chalicelib.adapters.work.in_process import InProcessQueue
from chalicelib.adapters.work.sqs import SqsQueue
from chalicelib.contracts.codec import from_json
from chalicelib.domain.job import JobPart
from chalicelib.settings import BadSetting, Settings
from chalicelib.wiring import _work_queue
from tests.gateway import Clock

PART = JobPart("job-1", "holder-1")


# --- in the process ----------------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> Iterator[InProcessQueue]:
    opened = InProcessQueue(clock.seconds)
    yield opened
    opened.close()


def test_what_was_put_is_taken_in_order(queue: InProcessQueue) -> None:
    queue.put(JobPart("a"))
    queue.put(JobPart("b"))

    assert [JobPart("a"), JobPart("b")] == [queue.take(), queue.take()]


def test_a_delayed_message_lets_others_pass_until_it_is_due(queue: InProcessQueue, clock: Clock) -> None:
    queue.put(JobPart("late"), 60)
    queue.put(JobPart("now"))
    first = queue.take()
    clock.forward(seconds=60)

    assert [JobPart("now"), JobPart("late")] == [first, queue.take()]


def test_each_message_has_one_taker(queue: InProcessQueue) -> None:
    for number in range(200):
        queue.put(JobPart(str(number)))
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: queue.take(), range(200)))

    assert {JobPart(str(number)) for number in range(200)} == set(taken)


def test_who_waits_is_woken_by_a_message_and_by_the_end(queue: InProcessQueue) -> None:
    taken: list[JobPart | None] = []
    first_taken = threading.Event()

    def work() -> None:
        taken.append(queue.take())
        first_taken.set()
        taken.append(queue.take())

    waiting = threading.Thread(target=work)
    waiting.start()
    queue.put(PART)
    assert first_taken.wait(10)
    queue.close()
    waiting.join(10)

    assert [PART, None] == taken


# --- SQS ---------------------------------------------------------------------------------------------------------------


def test_a_message_lies_in_sqs_with_its_delay() -> None:
    with mock_aws():
        sqs = botocore.session.get_session().create_client("sqs", region_name="eu-central-1")
        url = sqs.create_queue(QueueName="sipgw-work")["QueueUrl"]
        sent = SqsQueue(url).put(PART)
        late = SqsQueue(url).put(PART, 100_000)
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]

    assert (True, True, [PART]) == (sent, late, [from_json(JobPart, json.loads(message["Body"])) for message in found])


def test_a_queue_that_is_not_there_takes_nothing() -> None:
    with mock_aws():
        assert not SqsQueue("https://sqs.eu-central-1.amazonaws.com/123456789012/nothing").put(PART)


# --- which of them -----------------------------------------------------------------------------------------------------


def test_the_setting_names_the_queue() -> None:
    url = "https://sqs.eu-central-1.amazonaws.com/123456789012/sipgw-work"

    assert (InProcessQueue, SqsQueue) == (type(_work_queue(Settings().work_queue)), type(_work_queue(f"sqs:{url}")))


@pytest.mark.parametrize("place", ["", "sqs:", "sqs:sipgw-work", "redis:x"])
def test_another_setting_is_refused_with_what_to_do(place: str) -> None:
    with pytest.raises(BadSetting, match="SIPGW_WORK_QUEUE must be"):
        _work_queue(place)
