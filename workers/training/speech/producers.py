"""Endless batches made by processes beside the one that trains."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

BatchT = TypeVar("BatchT")


class _Batches(IterableDataset[BatchT], Generic[BatchT]):
    """The batches of one producer, from a seed of its own."""

    def __init__(self, make: Callable[[int], Iterator[BatchT]], seed: int) -> None:
        self._make, self._seed = make, seed

    def __iter__(self) -> Iterator[BatchT]:
        producer = get_worker_info()
        return self._make(1000 * self._seed + (0 if producer is None else producer.id))


def produced(
    make: Callable[[int], Iterator[BatchT]], seed: int, producers: int
) -> Iterator[BatchT]:
    """Batches of `make(seed)` from so many processes; 0: made in this one when they are needed."""
    return iter(DataLoader(_Batches(make, seed), batch_size=None, num_workers=producers))
