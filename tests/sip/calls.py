"""Calls for tests' phones: a dialog (RFC 3261 section 12) over the phone's one TLS connection."""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import dataclass

from tests.sip.media import Media
from tests.sip.messages import SipMessage, render_message
from tests.sip.phone import REALM, Phone

_numbers = itertools.count(1)
Headers = list[tuple[str, str]]


def uri_of(name_addr: str) -> str:
    """`sip:a@b` of `"A" <sip:a@b>;tag=x`."""
    found = re.search(r"<([^>]+)>", name_addr)
    return found[1] if found else name_addr.partition(";")[0]


@dataclass
class Call:
    """One side of a call. `headers` of requests within it follow from what was exchanged."""

    phone: Phone
    media: Media
    call_id: str
    local: str  # From of our requests, with its tag
    remote: str
    target: str
    routes: list[str]
    sequence: int = 1
    answer: SipMessage | None = None  # the 200 that the caller got, the INVITE that the callee got

    def request(self, method: str, extra: Headers | None = None, body: bytes = b"", *, sequence: int = 0) -> None:
        """Sends a request within the call."""
        if method != "ACK":
            self.sequence += 1
        headers = [
            ("Via", f"SIP/2.0/TLS {self.phone.address};branch=z9hG4bK-c{next(_numbers)}-{time.monotonic_ns()};rport"),
            ("Max-Forwards", "70"),
            *[("Route", route) for route in self.routes],
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{sequence or self.sequence} {method}"),
            ("Contact", f"<{self.phone.contact}>"),
            *(extra or []),
        ]
        self.phone.send(render_message(f"{method} {self.target} SIP/2.0", headers, body))

    def ask(self, method: str, extra: Headers | None = None, body: bytes = b"") -> SipMessage:
        """A request within the call and its final answer."""
        self.request(method, extra, body)
        return self.phone.receive()

    def acknowledge(self, sequence: int = 0, body: bytes = b"") -> None:
        self.request("ACK", [("Content-Type", "application/sdp")] if body else None, body, sequence=sequence)

    def hang_up_with(self, other: Call) -> SipMessage:
        """BYE, which the other side confirms; the final answer."""
        self.request("BYE")
        other.phone.answer(other.phone.receive("BYE"), "200 OK")
        return self.phone.receive()


@dataclass
class Outgoing:
    """An INVITE that was sent and is not answered yet."""

    phone: Phone
    media: Media
    headers: Headers
    uri: str

    def ringing(self) -> SipMessage:
        return self.phone.provisional()

    def early(self, ringing: SipMessage) -> Call:
        """The early dialog with the callee that rings (RFC 3261 section 12.1)."""
        return Call(
            phone=self.phone,
            media=self.media,
            call_id=ringing.header("Call-ID"),
            local=ringing.header("From"),
            remote=ringing.header("To"),
            target=uri_of(ringing.header("Contact")),
            routes=ringing.all("Record-Route")[::-1],
            sequence=int(dict(self.headers)["CSeq"].split(" ")[0]),
        )

    def cancel(self) -> None:
        kept = [header for header in self.headers if header[0] in {"Via", "Max-Forwards", "From", "To", "Call-ID"}]
        sequence = dict(self.headers)["CSeq"].replace("INVITE", "CANCEL")
        self.phone.send(render_message(f"CANCEL {self.uri} SIP/2.0", [*kept, ("CSeq", sequence)]))

    def refused(self) -> SipMessage:
        """The final answer, which is none of success, acknowledged."""
        answer = self.phone.receive()
        assert answer.status >= 300, answer.first_line
        kept = [header for header in self.headers if header[0] in {"Via", "Max-Forwards", "From", "Call-ID"}]
        sequence = dict(self.headers)["CSeq"].replace("INVITE", "ACK")
        ack = [*kept, ("To", answer.header("To")), ("CSeq", sequence)]
        self.phone.send(render_message(f"ACK {self.uri} SIP/2.0", ack))
        return answer

    def answered(self) -> Call:
        """The 200, acknowledged, with media connected."""
        answer = self.phone.receive()
        assert answer.status == 200, (answer.first_line, answer.header("Reason"))
        sent = dict(self.headers)
        call = Call(
            phone=self.phone,
            media=self.media,
            call_id=sent["Call-ID"],
            local=sent["From"],
            remote=answer.header("To"),
            target=uri_of(answer.header("Contact")),
            routes=answer.all("Record-Route")[::-1],
            sequence=int(sent["CSeq"].split(" ")[0]),
            answer=answer,
        )
        if answer.body:
            self.media.connect(answer.body)
        call.acknowledge()
        return call


def call(
    phone: Phone, number: str, extra: Headers | None = None, *, media: Media | None = None, body: bytes | None = None
) -> Outgoing:
    """INVITE with an offer from a registered phone. `number` may be a whole user@domain."""
    media = media or Media()
    uri = f"sip:{number}" if "@" in number else f"sip:{number}@{REALM}"
    offer = media.sdp() if body is None else body
    content = [("Content-Type", "application/sdp")] if offer else []
    claimed = [("Contact", f"<{phone.contact}>"), *content, *(extra or [])]
    return Outgoing(phone, media, phone.send_invite(uri, claimed, offer), uri)


def call_with_digest(phone: Phone, number: str) -> Outgoing:
    """From a phone that is not registered on its connection: the challenge is answered."""
    phone.take_challenge(call(phone, number).refused())
    return call(phone, number, [phone.authorization("INVITE", f"sip:{number}@{REALM}")])


def take_call(phone: Phone, *, media: Media | None = None) -> tuple[SipMessage, Media]:
    """The next INVITE that comes in, ringing."""
    invite = phone.receive("INVITE")
    phone.answer(invite, "180 Ringing", [("Contact", f"<{phone.contact}>"), *record_routes(invite)])
    return invite, media or Media()


def record_routes(invite: SipMessage) -> Headers:
    return [("Record-Route", route) for route in invite.all("Record-Route")]


def finish(outgoing: Outgoing, callee: Phone, invite: SipMessage, media: Media) -> tuple[Call, Call]:
    """The ringing call is answered with media on both sides. The callee's side, the caller's side."""
    if invite.body:
        media.connect(invite.body)
    headers = [("Contact", f"<{callee.contact}>"), ("Content-Type", "application/sdp"), *record_routes(invite)]
    callee.answer(invite, "200 OK", headers, media.sdp())
    near = outgoing.answered()
    callee.receive("ACK")
    far = Call(
        phone=callee,
        media=media,
        call_id=invite.header("Call-ID"),
        local=f"{invite.header('To')};tag={callee.tag}",
        remote=invite.header("From"),
        target=uri_of(invite.header("Contact")),
        routes=invite.all("Record-Route"),
        answer=invite,
    )
    return far, near


def connected(caller: Phone, number: str, callee: Phone) -> tuple[Call, Call]:
    """A whole call: dialled, rung, answered. The caller's side first."""
    outgoing = call(caller, number)
    invite, media = take_call(callee)
    far, near = finish(outgoing, callee, invite, media)
    return near, far
