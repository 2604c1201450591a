"""The word-error count of the voice's measurement."""

import pytest

from workers.training.metrics.quality import edits


@pytest.mark.parametrize(
    ("wanted", "heard", "count"),
    [
        ("two and two", "two and two", 0),
        ("two and two", "two and", 1),
        ("two and two", "to and two", 1),
        ("two and two", "well two and two now", 2),
        ("two and two", "", 3),
        ("", "noise", 1),
        ("a b c d", "b c d e", 2),
    ],
)
def test_edits(wanted: str, heard: str, count: int) -> None:
    assert edits(wanted.split(), heard.split()) == count
