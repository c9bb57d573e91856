"""Stage 1 for a phone whose firmware is too old, in a region with a firmware mirror."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib import wiring
from chalicelib.adapters.counting import Cost
from chalicelib.domain.device import Device
from tests.gateway import MAC, PUBLIC_URL, TENANT, World

MIRROR = "https://firmware.example"
OLD = "66.82.0.30"
REASON = "Firmware 66.82.0.30 is older than 83; upgrade to 66.86.5.1"


@pytest.fixture
def mirrored(world: World) -> World:
    """The world's region has a mirror."""
    settings = replace(world.gateway.settings, firmware_mirror_url=MIRROR)
    world.gateway = replace(world.gateway, settings=settings)
    wiring.use(world.gateway)
    return world


def test_an_old_phone_is_upgraded_and_told_nothing_more(mirrored: World) -> None:
    answer = mirrored.phone(firmware=OLD).ask_stage_one()

    url = f"{MIRROR}/yealink/T46S/66.86.5.1/firmware.rom"
    assert (200, f"#!version:1.0.0.1\nstatic.firmware.url = {url}\nfirmware.url = {url}\n") == (answer.status, answer.text)


def test_a_phone_that_comes_back_upgraded_is_onboarded(mirrored: World) -> None:
    mirrored.admin.post("/v1/devices", {"mac": MAC})
    mirrored.phone(firmware=OLD).ask_stage_one()
    mirrored.phone().onboard()

    device = mirrored.device()
    assert ("onboarded", None) == (device["state"], device["incompatible_reason"])


def test_its_claimant_is_told_why(mirrored: World) -> None:
    mirrored.admin.post("/v1/devices", {"mac": MAC})
    mirrored.phone(firmware=OLD).ask_stage_one()

    assert REASON == mirrored.device()["incompatible_reason"]


def test_a_stranger_costs_one_query_and_leaves_nothing(mirrored: World) -> None:
    assert Cost(queries=1) == mirrored.cost_of(mirrored.phone(firmware=OLD).ask_stage_one)


def test_a_model_that_is_not_compatible_gets_the_404(mirrored: World) -> None:
    assert 404 == mirrored.phone(model="T99").ask_stage_one().status


def test_a_blocked_device_gets_the_404(mirrored: World) -> None:
    mirrored.phone().enroll()
    mirrored.admin.patch(f"/v1/devices/{MAC}", {"blocked": True})

    assert mirrored.store.load(Device, MAC).blocked
    assert 404 == mirrored.phone(firmware=OLD).ask_stage_one().status


def test_a_phone_that_must_be_told_asks_again_with_the_words_of_its_url(mirrored: World) -> None:
    agent = {"User-Agent": "AUDC-IPPhone/2.2.4.61 (420HD; 00908F602AAC)"}
    words = f"lang_de/tenantid/{TENANT}/"
    answer = mirrored.request("GET", f"/{words}00908f602aac.cfg", headers=agent)

    assert f"provisioning/configuration/url={PUBLIC_URL}/{words}" in answer.text.splitlines()


def test_the_file_has_a_validator_as_any_other(mirrored: World) -> None:
    phone = mirrored.phone(firmware=OLD)
    etag = phone.ask_stage_one().headers["etag"]

    assert 304 == phone.get(f"/{MAC}.cfg", If_None_Match=etag).status


def test_a_request_for_a_range_is_answered_whole(mirrored: World) -> None:
    """RFC 9110 14.2: a server may ignore Range."""
    phone = mirrored.phone(firmware=OLD)

    assert phone.ask_stage_one().text == phone.get(f"/{MAC}.cfg", Range="bytes=0-9").text
