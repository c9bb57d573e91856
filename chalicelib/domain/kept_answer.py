"""Idempotency keys: the answer to a POST is kept, so that a caller who lost it may ask again and nothing is done twice.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import IdempotencyInProgress, IdempotencyKeyReused, IdempotencyReplayed

KEEP_ANSWER = timedelta(hours=24)
LONGEST_WORK = timedelta(minutes=2)  # a function that did not end by then is dead, and the key is free again
LONGEST_KEY = 128
LARGEST_ANSWER = 300 * 1024  # characters at most; a record has 400 KB


class AnswerState(StrEnum):
    """`withheld`: done, and the answer is not kept: it held a secret, or was too large."""

    RUNNING = "running"
    KEPT = "kept"
    WITHHELD = "withheld"


@dataclass(frozen=True)
class KeptAnswer:
    """`digest` is of tenant, path and key; `body_digest` of what was asked."""

    digest: str
    body_digest: str
    expires_at: datetime
    state: AnswerState = AnswerState.RUNNING
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    version: int = 0


def check_repeat(kept: KeptAnswer, body_digest: str) -> KeptAnswer:
    """The answer to give again. Raises the reason where there is none to give."""
    if kept.body_digest != body_digest:
        raise IdempotencyKeyReused("This Idempotency-Key was sent with another body. Take a new key for a new request.")
    if kept.state is AnswerState.RUNNING:
        raise IdempotencyInProgress("The first request with this Idempotency-Key is not done yet. Try again in a moment.")
    if kept.state is AnswerState.WITHHELD:
        raise IdempotencyReplayed(
            "This was done, and its answer is not kept: it holds a secret that is shown once, or is too large."
            " Read the present state with GET, or send the request with a new Idempotency-Key: a new code voids the one before."
        )
    return kept
