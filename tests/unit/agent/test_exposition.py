"""Measurements as Prometheus text."""

from __future__ import annotations

from sip_edge.agent.core.exposition import Family, Sample, families_of_statistics, render_families
from sip_edge.agent.metrics import Counter, Histogram


def test_a_family_says_what_it_is_before_its_samples() -> None:
    family = Family("a_total", "counter", "All of it.", (Sample(3), Sample(0.5, (("kind", "x"),))))

    assert '# HELP a_total All of it.\n# TYPE a_total counter\na_total 3\na_total{kind="x"} 0.5\n' == render_families([family])


def test_a_family_without_samples_is_left_out() -> None:
    assert "\n" == render_families([Family("a", "gauge", "Nothing.")])


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    text = render_families([Family("a", "gauge", "A.", (Sample(1, (("kind", 'x"} 9\n\\'),)),))])

    assert 'a{kind="x\\"} 9\\n\\\\"} 1' == text.splitlines()[2]


def test_kamailios_statistics_get_our_names_and_unknown_ones_are_left_out() -> None:
    text = render_families(families_of_statistics({"sl.401_replies": 7, "sl.403_replies": 2, "other.thing": 1}))

    assert ['sip_edge_replies_total{status="401"} 7', 'sip_edge_replies_total{status="403"} 2'] == text.splitlines()[2:]


def test_a_histogram_counts_every_bucket_that_an_observation_fits_in() -> None:
    histogram = Histogram("a_seconds", "call", "How long.")
    histogram.observe("x", 0.03)
    histogram.observe("x", 9.0)
    lines = render_families([histogram.family()]).splitlines()

    assert {
        'a_seconds_bucket{call="x",le="0.025"} 0',
        'a_seconds_bucket{call="x",le="0.05"} 1',
        'a_seconds_bucket{call="x",le="5"} 1',
        'a_seconds_bucket{call="x",le="+Inf"} 2',
        'a_seconds_sum{call="x"} 9.03',
        'a_seconds_count{call="x"} 2',
    } <= set(lines)


def test_large_numbers_keep_their_digits() -> None:
    counter = Counter("a_total", "kind", "All.")
    counter.add("x")

    assert "a 12345678901\n" == render_families([Family("a", "gauge", "A.", (Sample(12_345_678_901),))])[-14:]
    assert 'a_total{kind="x"} 1' in render_families([counter.family()])
