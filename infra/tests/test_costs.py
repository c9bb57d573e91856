"""The month's bill, computed from the design's numbers: right in its arithmetic, and nothing without a source."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.contracts.edge import MAX_EVENTS_PER_BATCH
from chalicelib.domain.connection import BINDING_NOTED_EVERY
from chalicelib.domain.edge import WATCH_NOTED_EVERY
from infra.costs.month import Prices, load_of, month, read_inputs, read_prices
from infra.costs.page import AIM_CENTS, PAGE, total, write_page
from infra.region import Phones
from sip_edge.agent.settings import AgentSettings, KamailioSettings

PRICES = Prices(read_prices()["price"])


def test_the_page_is_fresh() -> None:
    assert write_page() == PAGE.read_text()


def test_every_price_says_whence_it_is() -> None:
    assert [] == [
        name for name, item in read_prices()["price"].items() if not (item["source"] and item["date"] and item["grade"])
    ]


@pytest.mark.parametrize(
    ("units", "usd"), [(0, 0), (1e6, 3.5), (333e6, 1165.5), (334e6, 1165.5 + 3.19), (1e9 + 1e6, 1165.5 + 667 * 3.19 + 2.71)]
)
def test_a_price_in_tiers_counts_each_tier_at_its_own(units: float, usd: float) -> None:
    assert usd == pytest.approx(PRICES.of("rest_request", units))


def test_tasks_grow_with_phones_from_the_fewest() -> None:
    inputs = read_inputs()

    assert [2, 2, 3, 4] == [load_of(phones, inputs).tasks for phones in (1_000, 68_000, 100_000, 102_001)]


def test_an_idle_edge_still_sends_its_heartbeats() -> None:
    assert 2 * 2880 * 30 == load_of(0, read_inputs()).batches


def test_reports_that_wait_longer_for_others_are_fewer_batches_and_never_more_than_a_hundred_each() -> None:
    inputs = read_inputs()
    inputs["phones"]["returns_a_day"] = 0  # what is new does not wait
    batches = []
    for seconds in (0, 5, 60):
        inputs["edge"]["report_linger_seconds"] = seconds
        batches.append(load_of(100_000, inputs).batches)

    reports = load_of(100_000, inputs).reports
    assert [reports, reports / 100] == [batches[0], batches[2]]
    assert 90 < reports / batches[1] <= 100


def test_a_phone_costs_less_in_a_larger_region() -> None:
    inputs = read_inputs()
    each = [total(month(phones, inputs, PRICES)) / phones for phones in inputs["sizes"]]

    assert sorted(each, reverse=True) == each


def test_the_aim_is_met() -> None:
    assert 100 * total(month(100_000, read_inputs(), PRICES)) / 100_000 < AIM_CENTS


@pytest.mark.parametrize(("name", "value"), [("reports_a_day", 48), ("notes_a_day", 0), ("registration_seconds", 300)])
def test_what_is_rarer_costs_less(name: str, value: int) -> None:
    inputs = read_inputs()
    before = total(month(100_000, inputs, PRICES))
    inputs["phones"][name] = value

    assert total(month(100_000, inputs, PRICES)) < before


def test_the_bill_and_the_deployed_edge_have_the_same_times() -> None:
    inputs, agent, kamailio = read_inputs(), AgentSettings(), KamailioSettings()
    day, phones, edge = timedelta(days=1), inputs["phones"], inputs["edge"]

    designed = {
        "reports_a_day": day / timedelta(seconds=kamailio.report_seconds),
        "notes_a_day": day / BINDING_NOTED_EVERY,
        "registration_seconds": Phones().registration_expiry_seconds,
        "watches_a_day": day / WATCH_NOTED_EVERY,
        "heartbeats_a_day": day / timedelta(seconds=agent.heartbeat_seconds),
        "report_linger_seconds": agent.report_linger_seconds,
        "events_a_batch": MAX_EVENTS_PER_BATCH,
    }
    billed = {**phones, **edge}

    assert designed == {name: billed[name] for name in designed}
