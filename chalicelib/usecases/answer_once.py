"""A POST with an Idempotency-Key is carried out once; its answer is kept for a day, and given again."""

from __future__ import annotations

import hashlib
from dataclasses import field, replace

from chalicelib.contracts.codec import Problem
from chalicelib.contracts.frozen import dataclass
from chalicelib.domain.errors import BadRequest, GatewayError
from chalicelib.domain.kept_answer import (
    KEEP_ANSWER,
    LARGEST_ANSWER,
    LONGEST_KEY,
    LONGEST_WORK,
    AnswerState,
    KeptAnswer,
    check_repeat,
)
from chalicelib.observability import log
from chalicelib.usecases.conflicts import until_saved
from chalicelib.usecases.ports import Caller, Gateway


@dataclass(frozen=True)
class KeyedRequest:
    """What one key stands for."""

    key: str
    path: str
    body: bytes


@dataclass(frozen=True)
class GivenAnswer:
    """An answer as it went out. One with a secret is never kept."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)
    secret: bool = False


def begin_once(gateway: Gateway, caller: Caller, request: KeyedRequest) -> tuple[KeptAnswer, bool]:
    """The kept answer and True; or a reservation of the key and False: then carry out, and `finish_once` or `give_up_once`.

    Raises the reason where the answer cannot be given again, and BadRequest for a key that is none.
    """
    check_key(request.key)
    digest = gateway.keys.digest("idempotency", caller.tenant_id, request.path, request.key)
    body_digest = gateway.keys.digest("idempotency-body", hashlib.sha256(request.body).hexdigest())

    def attempt() -> tuple[KeptAnswer, bool]:
        kept = gateway.store.load(KeptAnswer, digest)
        if kept is not None:
            return check_repeat(kept, body_digest), True
        reserved = KeptAnswer(digest, body_digest, gateway.clock() + LONGEST_WORK)
        gateway.store.save(reserved)
        return replace(reserved, version=1), False

    return until_saved(attempt)


def finish_once(gateway: Gateway, reserved: KeptAnswer, answer: GivenAnswer) -> None:
    """Keeps the answer. One that holds a secret, or is too large, is only noted as given."""
    ended = replace(reserved, expires_at=gateway.clock() + KEEP_ANSWER, state=AnswerState.WITHHELD)
    if not answer.secret and len(answer.body.encode()) <= LARGEST_ANSWER:
        kept = AnswerState.KEPT
        ended = replace(ended, state=kept, status=answer.status, headers=answer.headers, body=answer.body)
    try:
        gateway.store.save(ended)
    except GatewayError as error:  # the work is done, and its caller shall hear so
        log().error("answer_not_kept", extra={"reason": error.code})


def give_up_once(gateway: Gateway, reserved: KeptAnswer) -> None:
    """Frees the key after a refusal or a failure: the same request may be tried again with it."""
    try:
        gateway.store.save(remove=[reserved])
    except GatewayError as error:  # it is free by itself in two minutes
        log().warning("key_not_freed", extra={"reason": error.code})


def check_key(key: str) -> None:
    """Raises BadRequest."""
    if not 1 <= len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        detail = f"must be 1 to {LONGEST_KEY} printable ASCII characters, such as a UUID"
        raise BadRequest("The Idempotency-Key cannot be used.", (Problem("/Idempotency-Key", detail),))
