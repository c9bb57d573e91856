"""DynamoDB's errors as the gateway's. What is not named here is a fault of ours (rights, missing table) and stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnected
from pynamodb.exceptions import PynamoDBException, TransactWriteError

from chalicelib.domain.errors import SaveConflict, StoreAway

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
CONDITION_FAILED = "ConditionalCheckFailedException"
_CONFLICTS = frozenset({CONDITION_FAILED, "TransactionConflictException"})
_CONFLICT_REASONS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
_AWAY = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionInProgressException",  # our own first attempt is still at work: its outcome is not known
    }
)
_AWAY_REASONS = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError"})


@contextmanager
def named_failures() -> Iterator[None]:
    """Raises SaveConflict or StoreAway in place of DynamoDB's word for it."""
    try:
        yield
    except PynamoDBException as error:
        code, reasons = code_of(error), _cancellation_reasons(error)
        if code in _CONFLICTS or reasons & _CONFLICT_REASONS:
            raise SaveConflict("The record was changed by somebody else.") from error
        if code in _AWAY or reasons & _AWAY_REASONS or _is_broken_gateway(code) or _is_unreachable(error):
            raise StoreAway from error
        raise


def code_of(error: PynamoDBException) -> str:
    """DynamoDB's word for it, or empty. PynamoDB's own `cause_response_code` fails where there was no answer (6.1.0)."""
    return str(error.cause.response["Error"].get("Code", "")) if isinstance(error.cause, ClientError) else ""


def _cancellation_reasons(error: PynamoDBException) -> set[str]:
    if not isinstance(error, TransactWriteError):
        return set()
    return {reason.code for reason in error.cancellation_reasons if reason}


def _is_broken_gateway(code: str) -> bool:
    """A 5xx without a body that names an error: botocore gives the status in place of the code."""
    return code.isdecimal() and code.startswith("5")


def _is_unreachable(error: PynamoDBException) -> bool:
    return isinstance(error.cause, HTTPClientError | NotConnected)
