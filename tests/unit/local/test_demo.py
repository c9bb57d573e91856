"""What the demo does while the edge cannot answer yet."""

from __future__ import annotations

from local.demo.life import dial_until_decided
from local.virtual_phone.sip_client import CallOutcome


def test_the_phone_dials_again_until_the_edge_knows_who_it_is() -> None:
    dialled: list[str] = []

    def dial(number: str) -> CallOutcome:
        dialled.append(number)
        known = len(dialled) > 2
        return CallOutcome(403, "Unknown device", "") if known else CallOutcome(503, "Service not available now", "")

    expected = CallOutcome(403, "Unknown device", "")
    assert expected == dial_until_decided(dial, "*55*000000")
    assert ["*55*000000"] * 3 == dialled


def test_an_edge_that_never_decides_is_told_as_it_is() -> None:
    expected = CallOutcome(503, "Service not available now", "")
    assert expected == dial_until_decided(lambda _: expected, "*55*000000", wait_seconds=0)
