"""A Prometheus histogram that takes many values at once.

The client library's own takes them one by one: with 60 callers, the frames that were sent since the
last scrape held the event loop up for 30 ms, and made the frames late whose lateness they tell.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

import numpy as np
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector


class Tally(Collector):
    """Counts values by bucket; a value belongs to the first bound that is not below it."""

    def __init__(
        self, name: str, text: str, bounds: Sequence[float], registry: CollectorRegistry = REGISTRY
    ) -> None:
        self.name = name
        self.text = text
        self.bounds: Final = np.array(bounds)
        self._counts = np.zeros(len(bounds) + 1, dtype=np.int64)
        self._sum = 0.0
        registry.register(self)

    def add(self, values: Collection[float]) -> None:
        """Count these."""
        if not values:
            return
        array = np.fromiter(values, np.float64, len(values))
        found = np.searchsorted(self.bounds, array)
        self._counts += np.bincount(found, minlength=len(self._counts))
        self._sum += float(array.sum())

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The counts as Prometheus takes them: each bucket holds those below it too."""
        names = [*(str(bound) for bound in self.bounds.tolist()), "+Inf"]
        totals = np.cumsum(self._counts).tolist()
        buckets = list(zip(names, totals, strict=True))
        yield HistogramMetricFamily(self.name, self.text, buckets=buckets, sum_value=self._sum)
