"""The order in which processes take the test modules."""

from tests.order import mixed


def test_long_modules_come_first_and_short_ones_last() -> None:
    sizes = {
        "tests/redis/test_a.py": 50,
        "tests/e2e/test_b.py": 1,
        "tests/unit/test_c.py": 2,
        "tests/unit/workers/test_d.py": 90,
        "tests/load/test_e.py": 9,
    }
    assert mixed(sizes) == [
        "tests/e2e/test_b.py",
        "tests/unit/workers/test_d.py",
        "tests/redis/test_a.py",
        "tests/load/test_e.py",
        "tests/unit/test_c.py",
    ]
