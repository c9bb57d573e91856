"""The stores that the contract suite runs on, each with a clock that the test moves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from moto.core.models import botocore_stubber

from chalicelib.adapters.dynamodb import DynamoStore
from chalicelib.adapters.sqlite import SqliteStore
from chalicelib.usecases.ports import Store


@dataclass
class Clock:
    """Seconds since 1970, standing still at 2026-11-22T12:00:00Z until it is moved."""

    seconds: float = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.seconds

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def forward(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def open_dynamo_store() -> Callable[[Clock], DynamoStore]:
    """Opens the one DynamoStore of the session (its client takes 200 ms) with the test's clock. Call it under mock_aws."""
    made: list[DynamoStore] = []

    def open_store(clock: Clock) -> DynamoStore:
        if not made:
            made.append(DynamoStore("test-region", "test-directory", aws_region="eu-central-1"))
            _answer_one_at_a_time(made[0])
        made[0]._clock = clock
        made[0].create_tables()
        return made[0]

    return open_store


def _answer_one_at_a_time(store: DynamoStore) -> None:
    """DynamoDB's conditional writes are atomic. moto checks and writes in two steps, so its threads are made to queue."""
    lock = threading.Lock()

    def answer(event_name: str, request: Any, **_: Any) -> Any:
        with lock:
            return botocore_stubber(event_name=event_name, request=request)

    events = store._tables.connection.client.meta.events
    events.unregister("before-send", botocore_stubber)  # botocore calls every handler: each request would count twice
    events.register("before-send", answer)


@pytest.fixture(params=["sqlite file", "dynamodb"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, open_dynamo_store: Callable[[Clock], DynamoStore]
) -> Iterator[Store]:
    if request.param == "dynamodb":
        with mock_aws():  # ends with all tables gone
            yield open_dynamo_store(clock)
        return
    yield SqliteStore(str(tmp_path / "gateway.db"), clock)
