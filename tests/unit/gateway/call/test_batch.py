"""A pipeline's batch: the first session goes out at once, later ones wait for company."""

from gateway.call.batch import MAX_WAIT_S, TIMER_RESOLUTION_S, Batch


def test_a_batch_without_sessions_is_never_due() -> None:
    batch: Batch[str] = Batch(0.001)
    assert not batch.is_due(9.0)
    assert batch.due_at is None


def test_the_next_pipeline_waits_longer_with_more_sessions() -> None:
    batch: Batch[str] = Batch(0.001)
    batch.add(["a"])
    assert batch.take(5.0, sessions=10) == {"a"}
    batch.add(["b"])
    assert batch.due_at == 5.01
    assert not batch.is_due(5.005)
    assert batch.is_due(5.01 - TIMER_RESOLUTION_S)


def test_the_wait_is_bounded() -> None:
    batch: Batch[str] = Batch(0.001)
    batch.take(5.0, sessions=1_000)
    batch.add(["a"])
    assert batch.due_at == 5.0 + MAX_WAIT_S


def test_a_session_that_left_takes_no_part() -> None:
    batch: Batch[str] = Batch(0.001)
    batch.add(["a", "b"])
    batch.discard("a")
    assert batch.take(0.0, sessions=2) == {"b"}
