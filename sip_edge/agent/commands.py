"""Where commands come from: a socket of this machine, or the edge's own SQS queue."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from chalicelib.contracts.edge import EdgeCommand
from sip_edge.agent.core.commands import UnreadableCommand, parse_command
from sip_edge.agent.log import log_event
from sip_edge.agent.settings import BadSetting

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_LONGEST_LINE_BYTES = 65536
_POLL_SECONDS = 20
_PAUSE_SECONDS = 5.0


class CommandSource(Protocol):
    """Hands commands over until cancelled, each perhaps more than once."""

    async def run(self, accept: Callable[[EdgeCommand], None]) -> None: ...


class NoCommands:
    """Commands come only with the receipts of events."""

    async def run(self, accept: Callable[[EdgeCommand], None]) -> None:  # noqa: ARG002 - the port's shape
        await asyncio.Event().wait()


class UnixSocketCommands:
    """A stream socket of mode 0600: one EdgeCommand as JSON per line, answered `ok` or `bad command`."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    async def run(self, accept: Callable[[EdgeCommand], None]) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while line := await reader.readline():
                    writer.write(b"ok\n" if _hand_over(line, accept) else b"bad command\n")
                    await writer.drain()
            except (OSError, ValueError) as problem:  # ValueError: a line over the limit
                log_event("command_connection_broken", problem=type(problem).__name__)
            finally:
                writer.close()

        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(serve, self._path, limit=_LONGEST_LINE_BYTES)
        except OSError as problem:
            raise BadSetting(f"EDGE_COMMANDS=unix:{self._path} cannot be served: {problem}") from None
        finally:
            os.umask(before)
        try:
            await server.serve_forever()
        finally:
            self._path.unlink(missing_ok=True)


class SqsCommands:
    """Long polling in a thread of its own. A message is deleted after its command was handed over."""

    def __init__(self, queue_url: str, *, client: SQSClient | None = None, poll_seconds: int = _POLL_SECONDS) -> None:
        self._queue_url = queue_url
        self._poll_seconds = poll_seconds
        self._client = client or _connect_sqs()
        self._stopped = threading.Event()

    async def run(self, accept: Callable[[EdgeCommand], None]) -> None:
        loop = asyncio.get_running_loop()

        async def hand_over(text: str) -> bool:
            return _hand_over(text, accept)

        def poll_once() -> None:
            for message in self._receive():
                done = asyncio.run_coroutine_threadsafe(hand_over(message.get("Body", "")), loop)
                if done.result():  # an unreadable one stays for the queue's dead-letter rule
                    self._delete(message)

        def poll() -> None:
            while not self._stopped.is_set():
                try:
                    poll_once()
                except CancelledError:
                    return
                except Exception as problem:  # noqa: BLE001 - the outermost loop: a thread that ended would end commands unnoticed
                    log_event("command_failed", problem=type(problem).__name__)
                    self._stopped.wait(_PAUSE_SECONDS)

        # A daemon: a poll of 20 seconds must not hold up the agent's end.
        threading.Thread(target=poll, name="sqs-commands", daemon=True).start()
        try:
            await asyncio.Event().wait()
        finally:
            self._stopped.set()

    def _receive(self) -> list[MessageTypeDef]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - botocore is loaded only for this source

        try:
            answer = self._client.receive_message(
                QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=self._poll_seconds
            )
        except (BotoCoreError, ClientError) as problem:
            log_event("command_queue_away", problem=type(problem).__name__)
            self._stopped.wait(_PAUSE_SECONDS)
            return []
        return answer.get("Messages", [])

    def _delete(self, message: MessageTypeDef) -> None:
        """A message that stays comes again, and its command is carried out once."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

        try:
            self._client.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message.get("ReceiptHandle", ""))
        except (BotoCoreError, ClientError) as problem:
            log_event("command_not_deleted", problem=type(problem).__name__)


def _connect_sqs() -> SQSClient:
    import boto3  # noqa: PLC0415 - 20 MB that a local edge does not need

    return boto3.client("sqs")


def _hand_over(text: str | bytes, accept: Callable[[EdgeCommand], None]) -> bool:
    try:
        command = parse_command(text)
    except UnreadableCommand as problem:
        log_event("command_unreadable", problem=str(problem))
        return False
    accept(command)
    return True
