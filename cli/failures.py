"""What can go wrong on the command line: one root, a stable code and an exit code each, and always what to do next.

The application shows these to a person; nothing here prints.
"""

from collections.abc import Mapping
from typing import Any

import httpx


class Failure(Exception):
    """Something that a person can act on: a title, a detail, more lines, and what to do."""

    code = "failure"
    exit_code = 1

    def __init__(self, title: str, *, detail: str = "", lines: tuple[str, ...] = (), advice: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.detail = detail
        self.lines = lines
        self.advice = advice


class BadInput(Failure):
    """The caller's setting, file or option cannot be used; nothing was sent."""

    code = "bad_input"
    exit_code = 2


class Unreachable(Failure):
    """No usable connection to the gateway or to a sign-in service."""

    code = "unreachable"


class NotSignedIn(Failure):
    """There is no token, or the gateway or the sign-in service did not take it."""

    code = "not_signed_in"


class Refusal(Failure):
    """The gateway answered, and said no (RFC 9457)."""

    code = "refused"

    def __init__(self, title: str, *, status: int, detail: str = "", lines: tuple[str, ...] = (), advice: str = "") -> None:
        super().__init__(title, detail=detail, lines=lines, advice=advice)
        self.status = status


class StrangeAnswer(Failure):
    """The other side answered something that the contract does not know."""

    code = "strange_answer"


class NotDone(Failure):
    """The gateway took the order, and it failed, expired or is still waiting."""

    code = "not_done"


GET_A_TOKEN = (
    "Run `./sipgw login`, or set SIPGW_TOKEN. "  # noqa: S105 - advice, no secret
    "For the gateway on this machine: export SIPGW_TOKEN=$(./sipgw token --role admin)"
)

_ADVICE = {
    400: "Correct the input and try again.",
    401: GET_A_TOKEN,
    403: "Your role does not allow this. Changes need Gateway.Admin, work on devices at least Gateway.Technician.",
    404: "Check the name, and that it belongs to your tenant.",
    405: "This gateway does not offer this yet.",
    409: "Look at the present state first (`show`), then try again.",
    413: "Send a smaller file.",
    422: "Correct the input and try again.",
    429: "Wait a little, then try again.",
}
_ASK_THE_OPERATOR = "Try again; if it stays, give the request_id to whoever runs the gateway."


def refusal_from(status: int, problem: Mapping[str, Any] | None) -> Refusal:
    """The refusal that a status and its problem+json body tell; None where the body was no problem document."""
    advice = _ADVICE.get(status, _ASK_THE_OPERATOR if status >= 500 else "")  # noqa: PLR2004 - RFC 9110, server errors
    if problem is None:
        return Refusal(f"The gateway answered {status} and gave no reason", status=status, advice=advice)
    says_more = problem.get("detail") not in {None, "", problem.get("title")}
    if says_more and (problem.get("code") == "not_seen_yet" or status == 404):  # noqa: PLR2004 - RFC 9110
        advice = ""  # the detail says what is not there, and what to do
    errors = problem.get("errors")
    lines = [f"- {_error_line(error)}" for error in errors] if isinstance(errors, list) else []
    lines += [f"{name}: {problem[name]}" for name in ("code", "request_id") if problem.get(name)]
    title = str(problem.get("title") or f"The gateway answered {status}")
    return Refusal(title, status=status, detail=str(problem.get("detail") or ""), lines=tuple(lines), advice=advice)


def _error_line(error: object) -> str:
    if not isinstance(error, Mapping):
        return str(error)
    where = [
        str(error[name]) for name in ("row", "line", "field", "name", "pointer", "parameter") if error.get(name) is not None
    ]
    what = [str(error[name]) for name in ("detail", "message", "reason", "code") if error.get(name)]
    return ": ".join([" ".join(where), *what[:1]] if where else what[:1]) or str(dict(error))


def unreachable_from(url: str, error: Exception) -> Unreachable:
    """Why no answer came from this gateway, in words; `error` is an httpx transport error."""
    reason = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return Unreachable(
            f"The certificate of {url} is not trusted",
            detail=reason,
            advice="Set SIPGW_CA_FILE to the PEM file of the authority that signed it (locally .gateway/tls/ca.pem).",
        )
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(f"The gateway at {url} did not answer in time", advice="Try again, or check SIPGW_URL.")
    if isinstance(error, httpx.ConnectError):
        return Unreachable(f"No gateway answers at {url}.", detail=reason, advice="Start one with `make run` or set SIPGW_URL.")
    return Unreachable(f"The connection to {url} broke", detail=reason, advice="Try again, or check SIPGW_URL.")
