"""`python -m infra.costs.page [--check]`: writes docs/costs.md, or only says whether it is stale."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.costs.month import Line, Prices, month, read_inputs, read_prices

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

- **Reports of registrations every 15 minutes, with the user's rights checked: {reports:,.0f} US dollars** in reads and writes.
  Each reads installation, device and user once, eventually consistent, and writes the device; tenant, policy and edge are read
  once for a whole batch. The load is even, so capacity bought by the hour (DynamoDB's provisioned mode, with autoscaling) suits
  a region once it is full.
- Requests of the edges: a report that tells nothing new waits up to `EDGE_REPORT_LINGER_SECONDS` (5) for others, so that a
  batch of a full edge holds some eighty; of two idle edges it holds two or three.
- Edge tasks grow with connected phones; answers to registration refreshes too, and those halve with every doubling of
  `phones.registration_expiry_seconds` (300 is the most).
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
            _drivers(most, months[most]),
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


def _drivers(phones: int, lines: Sequence[Line]) -> str:
    cents = 100 * total(lines) / phones
    reports = sum(line.usd for line in lines if line.service == "DynamoDB" and "kept" not in line.what)
    verdict = "is met" if cents < AIM_CENTS else "is missed"
    return DRIVERS.format(aim=AIM_CENTS, phones=phones, verdict=verdict, cents=cents, reports=reports)


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
