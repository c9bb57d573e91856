"""One measured figure, and the table of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

WHOLE_FROM = 1000


@dataclass(frozen=True)
class Figure:
    """`aim` is what the design asks for, empty where it asks for nothing; `beside` is what it was measured against."""

    name: str
    value: float
    unit: str
    aim: str = ""
    beside: str = ""

    def as_json(self) -> dict[str, Any]:
        """For the results file."""
        return {"name": self.name, "value": self.value, "unit": self.unit, "aim": self.aim, "beside": self.beside}


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= WHOLE_FROM else f"{value:.3g}"


def print_table(figures: Sequence[Figure]) -> None:
    """To standard output."""
    table = Table("figure", "value", "unit", "aim", "beside")
    for figure in figures:
        table.add_row(
            figure.name,
            _short(figure.value),
            figure.unit,
            figure.aim,
            figure.beside,
        )
    Console(width=140).print(table)
