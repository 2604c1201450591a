"""The token bucket: a steady rate, bursts up to its capacity."""

from gateway.token_bucket import TokenBucket


def test_a_full_bucket_allows_a_burst_and_no_more() -> None:
    bucket = TokenBucket(0.0, capacity=10, per_s=1)
    assert bucket.spend(10, 0.0)
    assert not bucket.spend(1, 0.0)
    assert bucket.tokens == -1


def test_it_refills_at_its_rate_up_to_its_capacity() -> None:
    bucket = TokenBucket(0.0, capacity=10, per_s=2, tokens=0)
    assert bucket.spend(4, 2.0)
    assert not bucket.spend(11, 100.0)


def test_a_charge_counts_against_what_comes_next() -> None:
    bucket = TokenBucket(0.0, capacity=10, per_s=1)
    bucket.charge(8)
    assert bucket.spend(2, 0.0)
    assert not bucket.spend(1, 0.0)
