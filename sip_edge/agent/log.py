"""The agent's log: one JSON object a line on standard error, an event name and its fields.

Fields are names, counts and statuses. Nothing that came from a phone's keypad, no password, HA1 or credential is passed in.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime


def log_event(event: str, /, **fields: str | float | None) -> None:
    """`log_event("link_up", address="127.0.0.1:8448")`."""
    line = {"at": datetime.now(UTC).isoformat(), "event": event, **fields}
    sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stderr.flush()
