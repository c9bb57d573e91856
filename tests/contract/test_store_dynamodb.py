"""What only the DynamoDB store promises: which requests it sends, how often, and what it makes of DynamoDB's errors.

The other end is a server on loopback that answers from a script, because moto neither fails nor loses an answer.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from moto import mock_aws
from pynamodb.exceptions import PynamoDBException

from chalicelib.adapters.aws import aws_session
from chalicelib.adapters.dynamodb import DynamoStore
from chalicelib.domain.directory import User
from chalicelib.domain.enrollment import Claim
from chalicelib.domain.errors import SaveConflict, StoreAway
from chalicelib.domain.tenant import Tenant

ROOT = Path(__file__).parents[2]
TENANT, ANNA = Tenant("t1"), User("t1", "anna@example.com")
EMPTY_LIST = {"Items": [], "Count": 0, "ScannedCount": 0}
LOST = None  # the connection is closed in place of an answer

Answer = tuple[int, dict[str, Any]] | None


def failure(code: str, *reasons: str, status: int = 400) -> Answer:
    answer: dict[str, Any] = {"__type__": code, "__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code}
    return status, answer | ({"CancellationReasons": [{"Code": reason} for reason in reasons]} if reasons else {})


@dataclass
class Endpoint:
    """Answers in the order of `script`, its last answer for ever, and keeps what it was asked."""

    url: str = ""
    script: list[Answer] = field(default_factory=lambda: [(200, {})])
    operations: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def take(self, operation: str, body: bytes) -> Answer:
        self.operations.append(operation.rpartition(".")[2])
        self.requests.append(json.loads(body))
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = endpoint.take(self.headers["X-Amz-Target"], body)
            if answer is None:
                self.close_connection = True
                return
            text = json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        endpoint.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield endpoint
        server.shutdown()
        thread.join()


@pytest.fixture
def remote(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> DynamoStore:
    """A store whose DynamoDB is the scripted endpoint."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return DynamoStore("region", "directory", aws_region="eu-central-1", host=endpoint.url)


CALLS: dict[str, Callable[[DynamoStore], Any]] = {
    "load": lambda store: store.load(Tenant, "t1"),
    "load many": lambda store: store.load_many(User, [("t1", "anna@example.com")]),
    "gather": lambda store: store.gather([User], "t1"),
    "find": lambda store: store.find(User, "t1"),
    "find listed": lambda store: store.find(Claim, "t1"),
    "save one": lambda store: store.save(TENANT),
    "save two": lambda store: store.save(TENANT, ANNA),
    "remove": lambda store: store.save(remove=[replace(TENANT, version=1)]),
    "count up": lambda store: store.count_up("tries", datetime.now(UTC) + timedelta(minutes=1)),
}


@pytest.mark.parametrize(
    ("call", "operation", "answer"),
    [
        ("load", "GetItem", {}),
        ("load many", "BatchGetItem", {"Responses": {"directory": []}, "UnprocessedKeys": {}}),
        ("gather", "Query", EMPTY_LIST),
        ("find", "Query", EMPTY_LIST),
        ("find listed", "Query", EMPTY_LIST),
        ("save one", "PutItem", {}),
        ("save two", "TransactWriteItems", {}),
        ("remove", "DeleteItem", {}),
        ("count up", "UpdateItem", {"Attributes": {"version": {"N": "1"}}}),
    ],
)
def test_each_call_is_one_request(
    remote: DynamoStore, endpoint: Endpoint, call: str, operation: str, answer: dict[str, Any]
) -> None:
    endpoint.script = [(200, answer)]

    CALLS[call](remote)

    assert [operation] == endpoint.operations


@pytest.mark.parametrize(
    ("call", "answer"), [("load", {}), ("gather", EMPTY_LIST), ("find", EMPTY_LIST)], ids=["load", "gather", "find"]
)
def test_a_table_is_read_consistently(remote: DynamoStore, endpoint: Endpoint, call: str, answer: dict[str, Any]) -> None:
    endpoint.script = [(200, answer)]

    CALLS[call](remote)

    assert endpoint.requests[0]["ConsistentRead"]


def test_an_index_is_not_asked_for_a_consistent_read_that_it_would_refuse(remote: DynamoStore, endpoint: Endpoint) -> None:
    endpoint.script = [(200, EMPTY_LIST)]

    CALLS["find listed"](remote)

    assert ("listing", False) == (endpoint.requests[0]["IndexName"], endpoint.requests[0].get("ConsistentRead", False))


def test_a_transaction_whose_answer_is_lost_is_sent_again_under_the_same_token(remote: DynamoStore, endpoint: Endpoint) -> None:
    endpoint.script = [LOST, (200, {})]

    remote.save(TENANT, ANNA)

    tokens = [request["ClientRequestToken"] for request in endpoint.requests]
    assert (2, 1) == (len(tokens), len(set(tokens)))


def test_each_transaction_has_a_token_of_its_own(remote: DynamoStore, endpoint: Endpoint) -> None:
    remote.save(TENANT, ANNA)
    remote.save(TENANT, ANNA)

    assert 2 == len({request["ClientRequestToken"] for request in endpoint.requests})


def test_keys_that_dynamodb_did_not_get_to_are_asked_for_again(remote: DynamoStore, endpoint: Endpoint) -> None:
    item = {"partition": {"S": "users#t1"}, "sort": {"S": ANNA.upn}, "kind": {"S": "User"}, "version": {"N": "1"}}
    item["data"] = {"S": json.dumps({"tenant_id": "t1", "upn": ANNA.upn})}
    key = {"partition": item["partition"], "sort": item["sort"]}
    endpoint.script = [
        (200, {"Responses": {"directory": []}, "UnprocessedKeys": {"directory": {"Keys": [key]}}}),
        (200, {"Responses": {"directory": [item]}, "UnprocessedKeys": {}}),
    ]

    assert [replace(ANNA, version=1)] == remote.load_many(User, [("t1", ANNA.upn)])
    assert [key] == endpoint.requests[1]["RequestItems"]["directory"]["Keys"]


@pytest.mark.parametrize("fresh", [True, False])
def test_only_what_need_not_be_fresh_is_read_at_half_the_price(remote: DynamoStore, endpoint: Endpoint, *, fresh: bool) -> None:
    endpoint.script = [(200, {"Responses": {"directory": []}, "UnprocessedKeys": {}})]

    remote.load_many(User, [("t1", ANNA.upn)], fresh=fresh)

    assert fresh is endpoint.requests[0]["RequestItems"]["directory"].get("ConsistentRead", False)


def test_more_keys_than_one_request_takes_are_split(remote: DynamoStore, endpoint: Endpoint) -> None:
    endpoint.script = [(200, {"Responses": {"directory": []}, "UnprocessedKeys": {}})]

    remote.load_many(User, [("t1", f"user{number}@example.com") for number in range(250)])

    assert [100, 100, 50] == [len(request["RequestItems"]["directory"]["Keys"]) for request in endpoint.requests]


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("save one", failure("ConditionalCheckFailedException")),
        ("save one", failure("TransactionConflictException")),
        ("remove", failure("ConditionalCheckFailedException")),
        ("save two", failure("TransactionCanceledException", "None", "ConditionalCheckFailed")),
        ("save two", failure("TransactionCanceledException", "TransactionConflict", "None")),
        ("save two", failure("TransactionCanceledException", "ThrottlingError", "ConditionalCheckFailed")),
    ],
)
def test_a_condition_that_does_not_hold_is_a_conflict(
    remote: DynamoStore, endpoint: Endpoint, call: str, answer: Answer
) -> None:
    endpoint.script = [answer]

    with pytest.raises(SaveConflict):
        CALLS[call](remote)


@pytest.mark.parametrize(
    "answer",
    [
        failure("TransactionCanceledException", "None", "ThrottlingError"),
        failure("TransactionCanceledException", "ProvisionedThroughputExceeded"),
    ],
)
def test_a_throttled_transaction_means_that_the_store_is_away(remote: DynamoStore, endpoint: Endpoint, answer: Answer) -> None:
    endpoint.script = [answer]

    with pytest.raises(StoreAway):
        CALLS["save two"](remote)


@pytest.mark.parametrize("call", ["load", "find", "save two"])
def test_throttling_is_met_with_two_more_tries_before_the_store_is_away(
    remote: DynamoStore, endpoint: Endpoint, call: str
) -> None:
    endpoint.script = [failure("ThrottlingException")]

    with pytest.raises(StoreAway):
        CALLS[call](remote)
    assert 3 == len(endpoint.operations)


@pytest.mark.parametrize(
    "answer",
    [failure("InternalServerError", status=500), (503, {}), LOST],
    ids=["internal error", "nothing but a status", "no answer"],
)
def test_a_broken_dynamodb_means_that_the_store_is_away(remote: DynamoStore, endpoint: Endpoint, answer: Answer) -> None:
    endpoint.script = [answer]

    with pytest.raises(StoreAway):
        remote.load(Tenant, "t1")


def test_a_dynamodb_that_cannot_be_reached_means_that_the_store_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    store = DynamoStore("region", "directory", aws_region="eu-central-1", host="http://127.0.0.1:1")

    with pytest.raises(StoreAway):
        store.load(Tenant, "t1")


def test_a_brief_failure_is_not_noticed(remote: DynamoStore, endpoint: Endpoint) -> None:
    endpoint.script = [failure("InternalServerError", status=500), (200, {})]

    assert remote.load(Tenant, "t1") is None


def test_a_missing_right_is_not_taken_for_anything_else(remote: DynamoStore, endpoint: Endpoint) -> None:
    endpoint.script = [failure("AccessDeniedException")]

    with pytest.raises(PynamoDBException, match="AccessDenied"):
        remote.load(Tenant, "t1")


def test_two_stores_with_tables_of_their_own_do_not_meet() -> None:
    with mock_aws():
        first, second = (DynamoStore(f"{name}-r", f"{name}-d", aws_region="eu-central-1") for name in ("one", "two"))
        for store in (first, second):
            store.create_tables()
        first.save(TENANT)

        assert 1 == first.load(Tenant, "t1").version
        assert second.load(Tenant, "t1") is None


def test_tables_that_are_there_may_be_made_again() -> None:
    with mock_aws():
        store = DynamoStore("region", "directory", aws_region="eu-central-1")
        store.create_tables()
        store.save(TENANT)

        store.create_tables()

        assert 1 == store.load(Tenant, "t1").version


def test_the_store_imports_neither_boto3_nor_moto() -> None:
    program = "import sys, chalicelib.adapters.dynamodb; print(sorted({'boto3', 'moto', 'chalice'} & set(sys.modules)))"

    printed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603

    assert "[]\n" == printed.stdout


def test_its_client_is_of_the_processs_one_session() -> None:
    store = DynamoStore("region", "directory", aws_region="eu-central-1")

    assert aws_session() is store._tables.connection.session
