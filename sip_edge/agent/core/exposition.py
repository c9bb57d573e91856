"""Measurements as Prometheus reads them (text format 0.0.4), and Kamailio's own statistics under our names.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sample:
    """One line: `suffix` follows the family's name, as in `_sum`."""

    value: float
    labels: tuple[tuple[str, str], ...] = ()
    suffix: str = ""


@dataclass(frozen=True)
class Family:
    """`kind` is counter, gauge or histogram."""

    name: str
    kind: str
    help: str
    samples: tuple[Sample, ...] = field(default=())


def render_families(families: Iterable[Family]) -> str:
    """The page; a family without samples is left out."""
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
            lines += [_render_sample(family.name, sample) for sample in family.samples]
    return "\n".join(lines) + "\n"


def _render_sample(name: str, sample: Sample) -> str:
    labels = ",".join(f'{label}="{_escape(value)}"' for label, value in sample.labels)
    return f"{name}{sample.suffix}{'{' + labels + '}' if labels else ''} {_number(sample.value)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


# The groups that are fetched from Kamailio (RPC stats.fetchn).
STATISTICS_GROUPS = ("registrar:", "usrloc:", "shmem:", "sl:", "tcp:", "script:")

# Kamailio's name, our family, kind, its meaning, the labels that tell it from others of the family.
_STATISTICS: tuple[tuple[str, str, str, str, tuple[tuple[str, str], ...]], ...] = (
    ("registrar.accepted_regs", "sip_edge_registrations_total", "counter", "Registrations granted, refreshes too.", ()),
    ("usrloc.location_contacts", "sip_edge_bindings", "gauge", "Bindings: phones that can be reached now.", ()),
    ("tcp.current_opened_connections", "sip_edge_connections", "gauge", "TLS connections that are open.", ()),
    ("tcp.passive_open", "sip_edge_connections_total", "counter", "Connections accepted.", ()),
    ("tcp.local_reject", "sip_edge_connections_refused_total", "counter", "Connections refused at a limit.", ()),
    *(
        (
            f"sl.{status}_replies",
            "sip_edge_replies_total",
            "counter",
            "Answers sent without a transaction.",
            (("status", status),),
        )
        for status in ("200", "400", "401", "403", "404", "407", "483", "500")
    ),
    *(
        (f"script.refused_{reason}", "sip_edge_refused_total", "counter", "Requests refused.", (("reason", reason),))
        for reason in ("scanner", "rate", "malformed", "oversize", "foreign", "device", "calls", "no_audio", "peer")
    ),
    *(
        (f"shmem.{name}_size", "sip_edge_kamailio_memory_bytes", "gauge", "Kamailio's shared memory.", (("kind", kind),))
        for name, kind in (("real_used", "used"), ("max_used", "most"), ("total", "total"))
    ),
)


def families_of_statistics(statistics: Mapping[str, float]) -> list[Family]:
    """Kamailio's statistics as families; what it did not tell is left out."""
    samples: dict[tuple[str, str, str], list[Sample]] = {}
    for theirs, name, kind, text, labels in _STATISTICS:
        if theirs in statistics:
            samples.setdefault((name, kind, text), []).append(Sample(float(statistics[theirs]), labels))
    return [Family(*key, tuple(values)) for key, values in samples.items()]
