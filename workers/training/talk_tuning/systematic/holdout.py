"""The rule that keeps one sum in six, and one difference in six, out of the corpus.

An evaluation that asks these shows whether the model learned to add or learned the answers.
"""

from typing import Final
from zlib import crc32

HELD_OUT_OF: Final = 6


def is_sum_held_out(left: int, right: int) -> bool:
    """True for one sum in six; both orders of a pair agree."""
    low, high = sorted((left, right))
    return crc32(f"{low} plus {high}".encode()) % HELD_OUT_OF == 0


def is_difference_held_out(left: int, right: int) -> bool:
    return crc32(f"{left} minus {right}".encode()) % HELD_OUT_OF == 0
