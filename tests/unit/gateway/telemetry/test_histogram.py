"""A histogram filled in batches equals the library's own, filled one by one."""

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from gateway.telemetry.histogram import BatchHistogram

BOUNDS = (0.001, 0.01, 0.1)
VALUES = [0.0, 0.0005, 0.001, 0.0011, 0.05, 0.1, 0.2, 7.0]


def test_it_equals_the_librarys_own_histogram() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    tally = BatchHistogram("late_seconds", "How late", BOUNDS, ours)
    single = Histogram("late_seconds", "How late", buckets=BOUNDS, registry=theirs)
    tally.add(VALUES[:3])
    tally.add([])
    tally.add(VALUES[3:])
    for value in VALUES:
        single.observe(value)
    lines = generate_latest(ours).decode().splitlines()
    expected = generate_latest(theirs).decode().splitlines()
    assert lines == [line for line in expected if "_created" not in line]
