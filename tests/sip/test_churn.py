"""Phones come, call and go, half of them without a word: a short turn of what `make soak` does for an hour."""

from __future__ import annotations

import os

import pytest

from bench.soak import churn

pytestmark = pytest.mark.sip
MINUTES = 0.75


def test_phones_that_come_and_go_leave_nothing_behind_and_nobody_out() -> None:
    samples, problems = churn(MINUTES, root=os.environ.get("EDGE_ROOT", ""))

    assert [] == problems
    assert samples[-1].shared_memory <= 1.1 * samples[1].shared_memory, samples
