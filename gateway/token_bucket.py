"""A token bucket: how much a client may send now, at a steady rate with bursts. Sans I/O."""


class TokenBucket:
    """Refills at `per_s` tokens a second up to `capacity`; `tokens`: how many it has at first."""

    def __init__(
        self, now: float, *, capacity: float, per_s: float, tokens: float | None = None
    ) -> None:
        self._capacity = capacity
        self._per_s = per_s
        self._tokens = capacity if tokens is None else tokens
        self._refilled_at = now

    @property
    def tokens(self) -> float:
        """What was left after the last spending; negative when that was too much."""
        return self._tokens

    def spend(self, amount: float, now: float) -> bool:
        """Take tokens for what arrived; whether there were enough."""
        refill = (now - self._refilled_at) * self._per_s
        self._tokens = min(self._capacity, self._tokens + refill) - amount
        self._refilled_at = now
        return self._tokens >= 0

    def charge(self, amount: float) -> None:
        """Take tokens without a check: the next `spend` has so much less."""
        self._tokens -= amount
