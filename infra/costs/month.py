"""One month of a region in US dollars, by service: numbers in (inputs.toml, prices.toml), amounts out."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.region import EdgeTasks

FOLDER = Path(__file__).parent
GB = 1e9
SECONDS_A_DAY = 86400
TASKS = EdgeTasks(image="", certificate_secret_arn="")  # a region that says nothing of its tasks


@dataclass(frozen=True)
class Line:
    """One service's share; `what` says what is counted."""

    service: str
    what: str
    usd: float


class Prices:
    """List prices by name."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table

    def of(self, name: str, units: float) -> float:
        """What so many units cost; in tiers where the price has them."""
        entry = self._table[name]
        tiers: Sequence[Sequence[float]] = entry.get("tiers") or [[0, entry["usd"]]]
        total = 0.0
        for index, (start, usd) in enumerate(tiers):
            end = tiers[index + 1][0] if index + 1 < len(tiers) else math.inf
            total += max(0.0, min(units, end) - start) * usd / entry["per"]
        return total


def read_inputs() -> dict[str, Any]:
    """The design's numbers and the assumptions."""
    return tomllib.loads((FOLDER / "inputs.toml").read_text(encoding="utf-8"))


def read_prices() -> dict[str, Any]:
    """The list of prices, each with its source."""
    return tomllib.loads((FOLDER / "prices.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Load:
    """What so many phones do in a month."""

    phones: int
    tasks: int
    reports: float
    notes: float
    returns: float
    batches: float
    watches: float
    files: float
    refreshes: float
    probes: float


def load_of(phones: int, inputs: Mapping[str, Any]) -> Load:
    """Counts; heartbeats are empty batches, and go only where there is nothing to report."""
    days, each, edge = inputs["days_a_month"], inputs["phones"], inputs["edge"]
    tasks = max(TASKS.fewest, math.ceil(phones / TASKS.phones_per_task))
    reports = phones * each["reports_a_day"] * days
    heartbeats = tasks * edge["heartbeats_a_day"] * days
    a_second = reports / tasks / (days * SECONDS_A_DAY)
    events = min(edge["events_a_batch"], 1 + a_second * edge["report_linger_seconds"])  # the first waits for the others
    returns = phones * each["returns_a_day"] * days
    return Load(
        phones=phones,
        tasks=tasks,
        reports=reports,
        notes=phones * each["notes_a_day"] * days,
        returns=returns,
        batches=max(heartbeats, reports / events) + 2 * returns,  # what is new does not wait
        watches=tasks * edge["watches_a_day"] * days,
        files=phones * each["files_a_day"] * days,
        refreshes=phones * days * SECONDS_A_DAY / (each["registration_seconds"] * each["refreshed_after"]),
        probes=phones * each["probing_share"] * each["probes_a_day"] * days,
    )


def month(phones: int, inputs: Mapping[str, Any], prices: Prices) -> list[Line]:
    """Every line of the bill, the dearest first."""
    load = load_of(phones, inputs)
    lines = [
        *_store(load, inputs, prices),
        *_functions(load, inputs, prices),
        *_edge(load, inputs, prices),
        *_fixed(load, inputs, prices),
    ]
    return sorted(lines, key=lambda line: -line.usd)


def _store(load: Load, inputs: Mapping[str, Any], prices: Prices) -> list[Line]:
    each = inputs["requests"]
    counts = {
        "report": load.reports,
        "note": load.notes,
        "batch": load.batches,
        "watch": load.watches,
        "left": load.returns,
        "back": load.returns,
        "settled_file": load.files,
    }
    reads = sum(_read_units(each[name]) * count for name, count in counts.items())
    writes = sum(each[name].get("writes", 0) * _write_units(name, inputs) * count for name, count in counts.items())
    stored = load.phones * inputs["phones"]["stored_bytes"] / GB
    kept = prices.of("dynamodb_gb_month", stored) + prices.of("dynamodb_recovery_gb_month", stored)
    return [
        Line("DynamoDB", f"{reads / 1e6:,.0f} million read units", prices.of("dynamodb_read", reads)),
        Line("DynamoDB", f"{writes / 1e6:,.0f} million writes of at most 1 kB", prices.of("dynamodb_write", writes)),
        Line("DynamoDB", f"{stored:,.1f} GB kept, restorable", kept),
    ]


def _read_units(request: Mapping[str, int]) -> float:
    """Of records and answers of at most 4 kB; what need not be fresh costs half."""
    return request.get("reads", 0) + request.get("queries", 0) + request.get("stale", 0) / 2


def _write_units(request: str, inputs: Mapping[str, Any]) -> float:
    return float(inputs["sized"]["edge_write_units" if request == "watch" else "device_write_units"])


def _functions(load: Load, inputs: Mapping[str, Any], prices: Prices) -> list[Line]:
    settings = inputs["functions"]
    calls = load.batches + load.files
    seconds = (
        load.batches * settings["batch_seconds"]
        + load.reports * settings["report_seconds"]
        + 2 * load.returns * settings["change_seconds"]
        + load.files * settings["file_seconds"]
    )
    duration = prices.of("lambda_gb_second", seconds * settings["memory_gb"])
    logged = calls * settings["log_bytes_a_call"] / GB
    sent = load.files * settings["answer_bytes"] / GB
    return [
        Line("API Gateway", f"{calls / 1e6:,.1f} million requests", prices.of("rest_request", calls)),
        Line(
            "Lambda",
            f"{seconds / 3600:,.0f} hours of {settings['memory_gb']} GB",
            duration + prices.of("lambda_request", calls),
        ),
        Line("WAF", "one list of four rules, each request", _firewall(calls, prices)),
        Line("CloudWatch", f"{logged:,.1f} GB of logs", prices.of("log_gb", logged) + prices.of("log_gb_month", logged)),
        Line("Transfer", f"{sent:,.1f} GB of files to phones", prices.of("transfer_gb", sent)),
    ]


def _firewall(calls: float, prices: Prices) -> float:
    return prices.of("waf_acl_month", 1) + prices.of("waf_rule_month", 4) + prices.of("waf_request", calls)


def _edge(load: Load, inputs: Mapping[str, Any], prices: Prices) -> list[Line]:
    edge, hours = inputs["edge"], inputs["hours_a_month"]
    vcpu, memory_gb = TASKS.cpu / 1024, TASKS.memory_mb / 1024
    task = prices.of("fargate_vcpu_hour", vcpu) + prices.of("fargate_gb_hour", memory_gb)
    head = edge["packet_bytes"]
    sent = (load.refreshes * (edge["answer_bytes"] + head) + load.probes * head) / GB
    taken = (load.refreshes * (edge["request_bytes"] + 2 * head) + load.probes * head) / GB
    units = max((sent + taken) / hours / edge["nlcu_gb_an_hour"], load.phones / edge["nlcu_flows"])
    balancer = prices.of("nlb_hour", hours) + prices.of("nlcu_hour", units * hours)
    addresses = load.tasks + edge["zones"]
    return [
        Line("Fargate", f"{load.tasks} tasks of {vcpu:g} vCPU, {memory_gb:g} GB, arm64", task * load.tasks * hours),
        Line("Transfer", f"{sent:,.0f} GB of answers to registration refreshes", prices.of("transfer_gb", sent)),
        Line("Load balancer", f"{units:,.1f} units", balancer),
        Line("Addresses", f"{addresses} public IPv4", prices.of("address_hour", addresses * hours)),
    ]


def _fixed(load: Load, inputs: Mapping[str, Any], prices: Prices) -> list[Line]:
    fixed = inputs["fixed"]
    watching = prices.of("alarm_month", fixed["alarms"]) + prices.of("metric_month", fixed["custom_metrics"])
    messages = load.tasks * inputs["days_a_month"] * SECONDS_A_DAY / 20  # long polls of the edges' queues, 20 seconds each
    return [
        Line("CloudWatch", "alarms and metrics", watching),
        Line("Secrets Manager", f"{fixed['secrets']} secrets", prices.of("secret_month", fixed["secrets"])),
        Line("SQS", f"{messages / 1e6:,.1f} million polls", prices.of("sqs_request", messages)),
    ]
