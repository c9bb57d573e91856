"""`python -m infra.costs.page [--check]`: writes docs/costs.md, or only says whether it is stale."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.costs.month import SECONDS_A_DAY, Line, Prices, month, read_inputs, read_prices

PAGE = Path(__file__).parents[2] / "docs/costs.md"
AIM_CENTS = 0.5
INTRO = """\
# What a region costs

Computed by `python -m infra.costs.page` from infra/costs/inputs.toml (what a request touches, as the tests count it, and
assumptions) and infra/costs/prices.toml (list prices of {region}, collected {collected}, each with its source). Nothing here
was measured on an account or read from a bill. Without free tiers, tax, support, calls' media, people's sign-ins and
administrators' requests (both too few to see).
"""
DRIVERS = """\
The aim of less than {aim} US cents a phone and month at {phones:,} phones {verdict}: {cents:.2f}.

- **Edge tasks, their addresses and the load balancer: {edges:,.0f} US dollars.** They grow with connected phones.
- **Reports of registrations every 15 minutes, with the user's rights checked: {reports:,.0f} US dollars** in reads and writes.
  Each reads installation, device and user once, eventually consistent, and writes the device; tenant, policy and edge are read
  once for a whole batch. The load is even, so capacity bought by the hour (DynamoDB's provisioned mode, with autoscaling) suits
  a region once it is full.
- **Answers to registration refreshes: {refreshes:,.0f} US dollars.** Registrations that last 300 seconds in place of 120
  (`phones.registration_expiry_seconds`) make the month {saved:,.0f} US dollars cheaper.
- Requests of the edges: a report that tells nothing new waits up to `EDGE_REPORT_LINGER_SECONDS` (5) for others, so that a
  batch of a full edge holds some eighty; of two idle edges it holds two or three.
- A small region pays for what stands there: two tasks, the load balancer, addresses, the firewall's list, alarms.
"""


def write_page() -> str:
    """The whole page."""
    inputs, listed = read_inputs(), read_prices()
    prices = Prices(listed["price"])
    months = {phones: month(phones, inputs, prices) for phones in inputs["sizes"]}
    most = max(months)
    return "\n".join(
        [
            INTRO.format(region=listed["region"], collected=listed["collected"]),
            *_totals(months),
            "",
            f"## {most:,} phones, line by line",
            "",
            *_lines(months[most]),
            "",
            "## What drives it",
            "",
            _drivers(most, months[most], total(months[most]) - total(month(most, _longest_registrations(inputs), prices))),
            "## Prices",
            "",
            "| service | item | US dollars | per | source | date | grade |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *(_price_row(item) for item in listed["price"].values()),
            "",
        ]
    )


def _price_row(item: Mapping[str, Any]) -> str:
    cells = (item["service"], item["item"], f"{item['usd']:g}", f"{item['per']:,}", item["source"], item["date"], item["grade"])
    return f"| {' | '.join(cells)} |"


def total(lines: Sequence[Line]) -> float:
    """Dollars a month."""
    return sum(line.usd for line in lines)


def _totals(months: dict[int, list[Line]]) -> list[str]:
    head = ["| phones | US dollars a month | US cents a phone and month |", "| --- | --- | --- |"]
    rows = [(phones, total(lines)) for phones, lines in months.items()]
    return head + [f"| {phones:,} | {usd:,.0f} | {100 * usd / phones:.2f} |" for phones, usd in rows]


def _lines(lines: Sequence[Line]) -> list[str]:
    rows = ["| service | what | US dollars a month | share |", "| --- | --- | --- | --- |"]
    whole = total(lines)
    return rows + [f"| {item.service} | {item.what} | {item.usd:,.2f} | {100 * item.usd / whole:.0f} % |" for item in lines]


def _drivers(phones: int, lines: Sequence[Line], saved: float) -> str:
    def share(*kinds: str) -> float:
        return sum(line.usd for line in lines if any(kind in f"{line.service} {line.what}" for kind in kinds))

    cents = 100 * total(lines) / phones
    return DRIVERS.format(
        aim=AIM_CENTS,
        phones=phones,
        verdict="is met" if cents < AIM_CENTS else "is missed",
        cents=cents,
        edges=share("Fargate", "Addresses", "Load balancer"),
        reports=share("read units", "writes"),
        refreshes=share("registration refreshes"),
        saved=saved,
    )


def _longest_registrations(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a region where registrations last 300 seconds."""
    return {**inputs, "phones": {**inputs["phones"], "refreshes_a_day": SECONDS_A_DAY / 300}}


def main(arguments: list[str]) -> int:
    """Exit status 1 where `--check` finds the page stale."""
    page = write_page()
    if arguments == ["--check"]:
        fresh = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page
        sys.stdout.write("" if fresh else f"{PAGE.name} is stale: run make docs\n")
        return 0 if fresh else 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
