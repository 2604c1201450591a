"""A Prometheus histogram that takes many values at once.

The client library's own histogram takes them one by one. With 60 callers, adding the frames since
the last scrape blocked the event loop for 30 ms. That delayed the very frames that it measures.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

import numpy as np
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector


class BatchHistogram(Collector):
    """Counts values by bucket. A value belongs to the first bucket whose bound is not below it."""

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
        """Count these values."""
        if not values:
            return
        array = np.fromiter(values, np.float64, len(values))
        found = np.searchsorted(self.bounds, array)
        self._counts += np.bincount(found, minlength=len(self._counts))
        self._sum += float(array.sum())

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The counts as Prometheus expects them: each bucket includes those below it."""
        names = [*(str(bound) for bound in self.bounds.tolist()), "+Inf"]
        totals = np.cumsum(self._counts).tolist()
        buckets = list(zip(names, totals, strict=True))
        yield HistogramMetricFamily(self.name, self.text, buckets=buckets, sum_value=self._sum)
