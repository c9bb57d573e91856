"""Drives linphone-daemon, a SIP client that is not ours, with what an account says; tells what was seen on the wire.

What a server answered is read from the wire as linphone logs it, never from linphone's own opinion. Runs inside a network
namespace (namespace.py). It ends with this process at the latest: linphone-daemon stops when its standard input closes.
It must never be sent `call-stats`: without RTCP, liblinphone 5.1.65 crashes on it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local.virtual_phone.account import PhoneAccount
from local.virtual_phone.errors import NotSeenError, SipError
from local.virtual_phone.linphone_log import Direction, LogFollower, SeenMessage
from local.virtual_phone.linphone_settings import render_linphonerc

_NUMBER = re.compile(r"[0-9*#+]{1,40}|sips?:[^\s<>\"]{1,200}")
_CHALLENGES = frozenset({401, 407})
_QUIT_SECONDS = 8.0
_FINAL = 200

Messages = tuple[SeenMessage, ...]


@dataclass(frozen=True)
class CallOutcome:
    """How the server answered an INVITE: final status and reason phrase, and the Reason header (RFC 3326) if any."""

    status: int
    reason_phrase: str
    reason_header: str
    provisional: tuple[int, ...] = ()


@dataclass(frozen=True)
class SeenNotify:
    """A NOTIFY that came in and what linphone answered by itself."""

    event: str
    content_type: str
    response_status: int


class SipClient:
    """One linphone-daemon for one account. `stop` it, or use it in a `with`."""

    def __init__(self, account: PhoneAccount, *, user_agent: str, trust_anchor: Path) -> None:
        self.account = account
        self._linphonerc = render_linphonerc(account, user_agent=user_agent, trust_anchor=trust_anchor)
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[str] | None = None
        self._follower: LogFollower | None = None
        self._notifies_taken = 0
        self._calls_taken = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def messages(self) -> Messages:
        """Everything seen on the wire so far."""
        return self._follower.messages if self._follower else ()

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Starts linphone, which begins to register. Raises SipError where it is not installed."""
        program = shutil.which("linphone-daemon")
        if program is None:
            raise SipError("`linphone-daemon` is missing: apt-get install linphone-cli")
        self._home = tempfile.TemporaryDirectory(prefix="virtual-phone-")  # private: mode 0700
        home = Path(self._home.name)
        (home / ".local/share/linphone").mkdir(parents=True)  # it does not make its own
        (home / "linphonerc").write_text(self._linphonerc, encoding="utf-8")
        self._follower = LogFollower(home / "sip.log")
        with (home / "output").open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed program and our own paths
                [program, "--config", str(home / "linphonerc"), "--log", str(home / "sip.log")],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8"},
                text=True,
                start_new_session=True,  # Ctrl-C is for us; we stop it in order
            )
        self._follower.start()

    def registered(self, *, timeout_seconds: float = 20) -> SeenMessage:
        """The registrar's 200 to our REGISTER. Raises SipError for a refusal and NotSeenError for silence."""
        final = self._wait(
            lambda messages: _final_response(messages, "REGISTER", _has_contact),
            expected=f"200 to REGISTER of {self.account.aor} at {self.account.server.uri}",
            timeout_seconds=timeout_seconds,
        )
        if final.status != _FINAL:
            raise SipError(f"the registrar refused {self.account.aor}: {final.status} {final.reason_phrase}")
        return final

    def dial(self, number: str, *, timeout_seconds: float = 30) -> CallOutcome:
        """Calls and waits for the final answer. A call that is answered stays up until `hang_up`."""
        if not _NUMBER.fullmatch(number):
            raise SipError(f"{number!r} cannot be dialled: digits, *, # and +, or a SIP URI")
        before = len(self.messages)
        self._command(f"call {number}")
        try:
            final = self._wait(
                lambda messages: _final_response(messages[before:], "INVITE", _is_any),
                expected=f"a final answer to INVITE for {number}",
                timeout_seconds=timeout_seconds,
            )
        except NotSeenError:
            self._command("terminate")
            raise
        seen = (m.status for m in self.messages[before:] if m.direction is Direction.RECEIVED and m.method == "INVITE")
        provisional = tuple(status for status in seen if status is not None and status < _FINAL)
        return CallOutcome(final.status or 0, final.reason_phrase, final.header("Reason"), provisional)

    def wait_for_call(self, *, timeout_seconds: float = 30) -> SeenMessage:
        """The next INVITE that came in; it rings until `answer` or `hang_up`."""
        skip = self._calls_taken
        invite = self._wait(
            lambda messages: _nth_call(messages, skip), expected="an incoming INVITE", timeout_seconds=timeout_seconds
        )
        self._calls_taken += 1
        return invite

    def answer(self, *, timeout_seconds: float = 10) -> None:
        """Takes the ringing call; returns when the caller has acknowledged."""
        before = len(self.messages)
        self._command("answer")
        self._wait(
            lambda messages: _first(messages[before:], Direction.RECEIVED, "ACK"),
            expected="the caller's ACK",
            timeout_seconds=timeout_seconds,
        )

    def hang_up(self, *, timeout_seconds: float = 10) -> None:
        """Ends the current call; returns when the other side has confirmed the BYE."""
        before = len(self.messages)
        self._command("terminate")
        self._wait(
            lambda messages: _final_response(messages[before:], "BYE", _is_any),
            expected="the answer to our BYE",
            timeout_seconds=timeout_seconds,
        )

    def wait_for_hang_up(self, *, timeout_seconds: float = 30) -> None:
        """Returns when the other side has sent BYE for the latest call."""
        self._wait(_latest_bye, expected="an incoming BYE", timeout_seconds=timeout_seconds)

    @property
    def notifies_waiting(self) -> int:
        """NOTIFYs that came in and were not waited for yet."""
        return len(_notifies(self.messages)) - self._notifies_taken

    def wait_for_notify(self, *events: str, timeout_seconds: float = 100) -> SeenNotify:
        """The next NOTIFY of these events (any by default), once linphone has answered it; others before it are skipped."""
        skip, wanted = self._notifies_taken, " or ".join(events) or "any event"
        expected = f"a NOTIFY of {wanted}"
        notify = self._wait(
            lambda messages: _notify(messages, skip, events), expected=expected, timeout_seconds=timeout_seconds
        )
        self._notifies_taken = 1 + _notifies(self.messages).index(notify, skip)
        response = self._wait(
            lambda messages: _response_to(messages, notify),
            expected="our answer to the NOTIFY",
            timeout_seconds=timeout_seconds,
        )
        return SeenNotify(notify.header("Event"), notify.header("Content-Type"), response.status or 0)

    def unregister(self, *, timeout_seconds: float = 10) -> None:
        """Removes the binding; returns on the registrar's answer."""
        before = len(self.messages)
        self._command("unregister ALL")
        self._wait(
            lambda messages: _final_response(messages[before:], "REGISTER", _is_any),
            expected="the answer to REGISTER with Expires 0",
            timeout_seconds=timeout_seconds,
        )

    def stop(self) -> None:
        """Unregisters, ends linphone and removes its files; no process is left."""
        self._end(gently=True)

    def cut_power(self) -> None:
        """Ends linphone at once: nothing is unregistered and no connection is closed in order."""
        self._end(gently=False)

    def _end(self, *, gently: bool) -> None:
        process, self._process = self._process, None
        if process is not None:
            try:
                if gently and process.poll() is None and process.stdin is not None:
                    process.stdin.write("quit\n")
                    process.stdin.flush()
                    process.wait(timeout=_QUIT_SECONDS)
            except (OSError, subprocess.TimeoutExpired):
                pass  # it hangs or is gone; below it ends for certain
            finally:
                process.kill()
                process.wait()
                _close_quietly(process)
        if self._follower is not None:
            self._follower.stop()
        if self._home is not None:
            self._home.cleanup()
            self._home = None

    def _command(self, line: str) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise SipError("the SIP client is not running")
        try:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
        except OSError as error:
            raise SipError(f"linphone-daemon ended by itself ({process.poll()})") from error

    def _wait(self, find: Callable[[Messages], SeenMessage | None], *, expected: str, timeout_seconds: float) -> SeenMessage:
        follower, process = self._follower, self._process
        if follower is None or process is None:
            raise SipError("the SIP client is not running")

        def find_while_running(messages: Messages) -> SeenMessage | None:
            found = find(messages)
            if found is None and process.poll() is not None:
                raise SipError(f"linphone-daemon ended by itself ({process.returncode}) while {expected} was expected")
            return found

        return follower.wait_for(find_while_running, expected=expected, timeout_seconds=timeout_seconds)


def _final_response(messages: Messages, method: str, accept: Callable[[SeenMessage], bool]) -> SeenMessage | None:
    """The first final response that is not the digest challenge which every first request meets (RFC 3261 section 22)."""
    for message in messages:
        status = message.status
        if message.direction is not Direction.RECEIVED or status is None or message.method != method or status < _FINAL:
            continue
        if status in _CHALLENGES and (not _carried_credentials(messages, message) or "stale=true" in _challenge(message)):
            continue
        if status != _FINAL or accept(message):
            return message
    return None


def _carried_credentials(messages: Messages, response: SeenMessage) -> bool:
    return any(
        message.status is None
        and message.transaction == response.transaction
        and bool(message.header("Authorization") or message.header("Proxy-Authorization"))
        for message in messages
    )


def _challenge(message: SeenMessage) -> str:
    return (message.header("WWW-Authenticate") + message.header("Proxy-Authenticate")).lower().replace(" ", "")


def _has_contact(message: SeenMessage) -> bool:
    return bool(message.header("Contact"))


def _is_any(_: SeenMessage) -> bool:
    return True


def _first(messages: Messages, direction: Direction, method: str) -> SeenMessage | None:
    return next((m for m in messages if m.direction is direction and m.status is None and m.method == method), None)


def _nth_call(messages: Messages, skip: int) -> SeenMessage | None:
    calls = [m for m in messages if m.direction is Direction.RECEIVED and m.status is None and m.method == "INVITE"]
    first_of_call = list({m.header("Call-ID"): m for m in reversed(calls)}.values())[::-1]
    return first_of_call[skip] if len(first_of_call) > skip else None


def _latest_bye(messages: Messages) -> SeenMessage | None:
    invites = [m for m in messages if m.method == "INVITE" and m.status is None]
    call = invites[-1].header("Call-ID") if invites else ""
    found = (m for m in messages if m.direction is Direction.RECEIVED and m.status is None and m.method == "BYE")
    return next((m for m in found if m.header("Call-ID") == call), None)


def _notifies(messages: Messages) -> list[SeenMessage]:
    return [m for m in messages if m.direction is Direction.RECEIVED and m.status is None and m.method == "NOTIFY"]


def _notify(messages: Messages, skip: int, events: tuple[str, ...]) -> SeenMessage | None:
    return next((m for m in _notifies(messages)[skip:] if m.header("Event").startswith(events or "")), None)


def _response_to(messages: Messages, request: SeenMessage) -> SeenMessage | None:
    answers = (m for m in messages if m.direction is Direction.SENT and m.transaction == request.transaction)
    return next((m for m in answers if m.status is not None and m.status >= _FINAL), None)


def _close_quietly(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        try:
            process.stdin.close()
        except OSError:
            process.stdin = None  # the pipe broke with the process; nothing is lost
