"""Functions at fixed batch sizes: the padding, and the rows that come back."""

import pytest
import torch
from torch import Tensor

from workers.engines.cuda_graphs import FixedSizes, sizes


@pytest.mark.parametrize(
    ("largest", "expected"),
    [
        (1, [1]),
        (2, [1, 2]),
        (5, [1, 2, 4, 5]),
        (8, [1, 2, 4, 8]),
        (2_048, [2**n for n in range(12)]),
    ],
)
def test_sizes_are_powers_of_two_and_the_largest(largest: int, expected: list[int]) -> None:
    assert sizes(largest) == expected


def test_a_batch_is_padded_to_the_next_size_and_its_rows_come_back() -> None:
    seen: list[tuple[int, ...]] = []
    state = torch.zeros(6)

    def count(rows: Tensor, values: Tensor) -> Tensor:
        seen.append(tuple(rows.tolist()))
        state[rows] += values
        return state[rows] * 10

    static = FixedSizes(count, (5, 1.0), 5)
    assert static(torch.tensor([3, 0, 1]), torch.tensor([1.0, 2.0, 3.0])).tolist() == [10, 20, 30]
    assert static(torch.tensor([0]), torch.tensor([1.0])).tolist() == [30]
    assert static(torch.tensor([2, 4]), torch.tensor([4.0, 5.0])).tolist() == [40, 50]
    assert seen == [(3, 0, 1, 5), (0,), (2, 4)]
    assert state[:5].tolist() == [3, 3, 4, 1, 5]


def test_more_rows_than_the_largest_size_are_refused() -> None:
    static = FixedSizes(torch.neg, (0.0,), 2)
    with pytest.raises(ValueError, match="at most 2 rows, got 3"):
        static(torch.zeros(3))
