"""The Prometheus series that gateways and workers share."""

import pytest
from prometheus_client import REGISTRY, Metric

from shared import telemetry

OURS = [
    series
    for series in vars(telemetry).values()
    if type(series).__module__.startswith("prometheus")
]


def families() -> list[Metric]:
    return [family for series in OURS for family in series.collect()]


def test_every_series_says_what_it_counts() -> None:
    assert len(families()) == len(OURS) >= 8
    for family in families():
        assert family.name.startswith("antiphon_")
        assert len(family.documentation.split()) >= 4
        if family.name.endswith("_seconds"):
            assert "in seconds" in family.documentation


def test_receipts_are_counted_by_answer() -> None:
    labels = {"script": "append", "answer": "busy"}
    before = REGISTRY.get_sample_value("antiphon_receipts_total", labels) or 0.0
    telemetry.count_receipts("append", ["busy", "stored", "busy"])
    assert REGISTRY.get_sample_value("antiphon_receipts_total", labels) == before + 2


def test_a_stage_is_timed_even_when_it_fails() -> None:
    def passes() -> float:
        name, labels = "antiphon_stage_seconds_count", {"stage": "test"}
        return REGISTRY.get_sample_value(name, labels) or 0.0

    before = passes()
    with pytest.raises(ZeroDivisionError), telemetry.timed("test"):
        _ = 1 / 0
    assert passes() == before + 1
