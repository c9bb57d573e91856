"""Offers of more than one stream of audio: the audio goes on, video is declined, and other parts of a body stay behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sip.calls import Outgoing, call, connected, finish, record_routes, take_call
from tests.sip.conftest import hire_at
from tests.sip.media import Media, talk
from tests.sip.messages import SipMessage
from tests.sip.peer import Peer
from tests.sip.phone import Phone
from tests.sip.trunk import OUTSIDE, Trunk

pytestmark = pytest.mark.sip
Hire = Callable[..., Phone]
MULTIPART = ("Content-Type", "multipart/mixed;boundary=part")


@pytest.mark.parametrize("profile", ["RTP/SAVP", "RTP/AVP"])
def test_a_phone_with_a_camera_talks_and_is_not_seen(hire: Hire, profile: str) -> None:
    anna, ben = hire(), hire()
    media = Media()
    outgoing = call(anna, ben.account.aor, media=media, body=_with_video(media.sdp(), profile))
    invite, far_media = take_call(ben)
    far_media.connect(invite.body)
    headers = [("Contact", f"<{ben.contact}>"), ("Content-Type", "application/sdp"), *record_routes(invite)]
    ben.answer(invite, "200 OK", headers, far_media.sdp() + b"m=video 0 RTP/SAVP 99\r\n")
    near = outgoing.answered()
    assert near.answer is not None

    assert [["audio", "video 0"]] * 2 == [_streams(invite.body), _streams(near.answer.body)]
    assert (20, 20) == talk(media, far_media)


def test_a_camera_is_not_switched_on_within_a_call_either(hire: Hire) -> None:
    anna, ben = hire(), hire()
    near, _ = connected(anna, ben.account.aor, ben)
    near.request("INVITE", [("Content-Type", "application/sdp")], _with_video(near.media.sdp(), "RTP/SAVP"))

    assert ["audio", "video 0"] == _streams(ben.receive("INVITE").body)


def test_a_fax_goes_from_phone_to_phone_as_t_38(hire: Hire) -> None:
    anna, ben = hire(), hire()
    near, far = connected(anna, ben.account.aor, ben)
    near_fax, far_fax = Media(encrypted=False), Media(encrypted=False)
    content = ("Content-Type", "application/sdp")
    near.request("INVITE", [content], _fax(near_fax))
    offer = ben.receive("INVITE")
    ben.answer(offer, "200 OK", [("Contact", f"<{ben.contact}>"), content], _fax(far_fax))
    answer = anna.receive()
    near.acknowledge()
    ben.receive("ACK")
    near_fax.connect(_as_audio(answer))
    far_fax.connect(_as_audio(offer))

    assert (20, 20) == talk(near_fax, far_fax)
    assert 200 == far.hang_up_with(near).status


def test_of_several_parts_of_a_body_the_sdp_reaches_the_phone_as_the_edge_s_own(
    trunk: Trunk, certificate: tuple[Path, Path], connect: Callable[..., Phone]
) -> None:
    ben, caller = hire_at(trunk.edge, trunk.functions, connect), Peer(*certificate)
    caller.call_edge(trunk.port)
    media = Media(encrypted=False)
    headers = [("Contact", f"<{caller.contact}>"), MULTIPART]
    uri = f"sip:{ben.account.aor}@edge.test"
    sent = caller.send_invite(uri, headers, _among_others(media.sdp()))
    outgoing = Outgoing(caller, media, sent, uri)
    invite, far_media = take_call(ben)
    far, near = finish(outgoing, ben, invite, far_media)

    assert "application/sdp" == invite.header("Content-Type")
    assert (20, 20) == talk(near.media, far.media)
    caller.close()


def test_an_answer_of_several_parts_is_understood(trunk: Trunk, connect: Callable[..., Phone]) -> None:
    anna, peer = hire_at(trunk.edge, trunk.functions, connect), trunk.peers[0]
    outgoing = call(anna, OUTSIDE)
    invite, media = take_call(peer, media=Media(encrypted=False))
    media.connect(invite.body)
    peer.answer(
        invite, "200 OK", [("Contact", f"<{peer.contact}>"), MULTIPART, *record_routes(invite)], _among_others(media.sdp())
    )
    near = outgoing.answered()

    assert (20, 20) == talk(near.media, media)


def _with_video(sdp: bytes, profile: str) -> bytes:
    return sdp + f"m=video 40000 {profile} 99\r\na=rtpmap:99 H264/90000\r\n".encode()


def _streams(sdp: bytes) -> list[str]:
    """`audio`, or `video 0` where it is declined."""
    lines = (line.removeprefix("m=").split(" ") for line in sdp.decode().splitlines() if line.startswith("m="))
    return [f"{kind} 0" if port == "0" else kind for kind, port, *_ in lines]


def _among_others(sdp: bytes) -> bytes:
    other = b"--part\r\nContent-Type: application/isup;version=itu-t92+\r\n\r\n\x01\x02\r\n"
    return other + b"--part\r\nContent-Type: application/sdp\r\n\r\n" + sdp + b"\r\n--part--\r\n"


def _fax(media: Media) -> bytes:
    lines = [line for line in media.sdp().decode().splitlines() if line[:2] not in {"a=", "m="}]
    return ("\r\n".join([*lines, f"m=image {media.own_port} udptl t38", "a=T38FaxVersion:0"]) + "\r\n").encode()


def _as_audio(message: SipMessage) -> bytes:
    """Where to send what goes to the other side's fax."""
    return message.body.replace(b"m=image", b"m=audio").replace(b"udptl", b"RTP/AVP")
