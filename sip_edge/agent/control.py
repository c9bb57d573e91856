"""Asks Kamailio over its control socket: JSON-RPC in unix datagrams (module jsonrpcs), one question at a time.

What must happen in the process that talks to the phones is ordered over loopback HTTP instead (sip_edge/kamailio/control.cfg).
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
from pathlib import Path
from typing import Any

import httpx

ANSWER_SECONDS = 2.0
ORDER_SECONDS = 5.0
_LONGEST_ANSWER_BYTES = 65536


class KamailioSilent(Exception):
    """Kamailio is not there, or did not answer in time."""


class KamailioRefused(Exception):
    """Kamailio answered that it could not; the message is its own."""


def order(address: str, page: str) -> None:
    """Has Kamailio do what a page of control.cfg does, such as `reload`; `address` is EDGE_MEDIA_CONTROL.

    Raises KamailioSilent or KamailioRefused.
    """
    try:
        answer = httpx.post(f"http://{address}/{page}", content=b"", timeout=ORDER_SECONDS, trust_env=False)
    except httpx.HTTPError as problem:
        raise KamailioSilent(type(problem).__name__) from problem
    if not answer.is_success:
        raise KamailioRefused(_reason(answer.json() if answer.content else None))


class Control:
    """`run_directory` is Kamailio's; the socket of the answers is made there too."""

    def __init__(self, run_directory: str) -> None:
        self._folder = Path(run_directory)

    async def ask(self, method: str, *parameters: str) -> Any:
        """The result of an RPC such as `ask("stats.fetchn", "usrloc:")`. Raises KamailioSilent or KamailioRefused."""
        return await asyncio.to_thread(self._ask, method, parameters)

    def _ask(self, method: str, parameters: tuple[str, ...]) -> Any:
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        own = self._folder / f"rpc-{secrets.token_hex(4)}"
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
                connection.settimeout(ANSWER_SECONDS)
                connection.bind(str(own))
                connection.connect(str(self._folder / "rpc"))
                connection.send(json.dumps(question).encode())
                answer = json.loads(connection.recv(_LONGEST_ANSWER_BYTES))
        except (OSError, ValueError) as problem:
            raise KamailioSilent(type(problem).__name__) from problem
        finally:
            own.unlink(missing_ok=True)
        if "result" not in answer:
            raise KamailioRefused(_reason(answer))
        return answer["result"]


def _reason(answer: Any) -> str:
    """Kamailio's own words of a JSON-RPC answer."""
    try:
        return str(answer["error"]["message"])
    except (KeyError, TypeError):
        return "no reason given"
