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
The aim of less than {aim} US cents a phone and month at {phones:,} phones {verdict}: {cents:.3f}.

- **Edge tasks, their addresses and the load balancer: {edges:,.0f} US dollars.** They grow with connected phones; calls' audio
  adds tasks by processor load, and is in no line here. Number and size of tasks are the defaults of infra/region.py.
- **Answers to registration refreshes: {refreshes:,.0f} US dollars.** An answer says what RFC 3261 asks for and nothing
  else; its bytes are measured (tests/sip/test_wire_size.py).
- **Reports of registrations every 15 minutes, with the user's rights checked: {reports:,.0f} US dollars** in reads and writes.
  Each reads installation, device and user once, eventually consistent; tenant, policy and edge are read once for a whole
  batch. A device is written when something changes, and once in six hours (docs/adr/0015). The load is even, so capacity bought
  by the hour (DynamoDB's provisioned mode, with autoscaling) suits a region once it is full.
- Requests of the edges: a report that tells nothing new waits up to `EDGE_REPORT_LINGER_SECONDS` (5) for others, so that a
  batch of a full edge holds a hundred; of two idle edges it holds two or three.
- A small region pays for what stands there: two tasks, the load balancer, addresses, the firewall's list, alarms.
"""
# What phones may do instead, and what then stands in [phones].
VARIATIONS: tuple[tuple[str, dict[str, float]], ...] = (
    ("as above: registrations of 120 seconds, refreshed after three quarters of that, on average", {}),
    ("refreshed after half of that, as our files tell AudioCodes phones", {"refreshed_after": 0.5}),
    ("refreshed at their end, the rarest possible", {"refreshed_after": 1.0}),
    ("`phones.registration_expiry_seconds = 300`, refreshed after three quarters", {"registration_seconds": 300}),
    ("each phone's connection lost once a day, not once in ten", {"returns_a_day": 1}),
)


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
            f"## {most:,} phones, had they other habits",
            "",
            *_variations(most, inputs, prices),
            "",
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
    return head + [f"| {phones:,} | {usd:,.0f} | {100 * usd / phones:.3f} |" for phones, usd in rows]


def _lines(lines: Sequence[Line]) -> list[str]:
    rows = ["| service | what | US dollars a month | share |", "| --- | --- | --- | --- |"]
    whole = total(lines)
    return rows + [f"| {item.service} | {item.what} | {item.usd:,.2f} | {100 * item.usd / whole:.0f} % |" for item in lines]


def _drivers(phones: int, lines: Sequence[Line]) -> str:
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
    )


def _variations(phones: int, inputs: Mapping[str, Any], prices: Prices) -> list[str]:
    rows = ["| habit | US dollars a month | US cents a phone and month |", "| --- | --- | --- |"]
    for habit, changed in VARIATIONS:
        usd = total(month(phones, {**inputs, "phones": {**inputs["phones"], **changed}}, prices))
        rows.append(f"| {habit} | {usd:,.0f} | {100 * usd / phones:.3f} |")
    return rows


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
