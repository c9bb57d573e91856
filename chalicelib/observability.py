"""Logs: events with fields, one JSON line each. A `Secret` prints as `***`; tokens and passwords are never fields."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


@cache
def log() -> Logger:
    """The logger of the functions. Its level is `POWERTOOLS_LOG_LEVEL`, INFO unless told."""
    from aws_lambda_powertools import Logger  # noqa: PLC0415 - most requests have nothing to log, and no start waits for it

    return Logger(service="sip-gateway", utc=True)
