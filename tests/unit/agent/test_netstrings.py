"""Frames on the link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_edge.agent.core.netstrings import BrokenFraming, render_netstring, split_netstrings


@given(st.lists(st.binary(max_size=300)), st.integers(min_value=0, max_value=2000))
def test_frames_survive_any_division_of_the_bytes(payloads: list[bytes], cut: int) -> None:
    data = b"".join(render_netstring(payload) for payload in payloads)
    first = split_netstrings(data[:cut])
    second = split_netstrings(first.rest + data[cut:])

    assert (tuple(payloads), b"") == (first.frames + second.frames, second.rest)


@pytest.mark.parametrize("data", [b"x", b"5hello", b":,", b"5:helloX", b"12345678", b"-1:,", b" 1:a,"])
def test_bytes_that_are_no_netstring_break_the_link(data: bytes) -> None:
    with pytest.raises(BrokenFraming):
        split_netstrings(data + b"0:,")


@given(st.binary(max_size=100))
def test_any_bytes_are_split_or_refused(data: bytes) -> None:
    try:
        split = split_netstrings(data)
    except BrokenFraming:
        return
    assert data == b"".join(map(render_netstring, split.frames)) + split.rest or data.startswith(b"0")
