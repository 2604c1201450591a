"""How far two float32 computations of the same thing may differ on any CPU.

In another order, a sum of n numbers of size a differs by up to n * 2 ** -24 * a. Typically it
differs by the root of that. Kernels of other instruction sets, thread counts and batch sizes choose
other orders. The models under test sum at most about 1,000 numbers of size 1 and stack some ten
layers: 1,000 * 6e-8 = 6e-5, reached nowhere. A defect (a wrong boundary, a row that sees its
neighbour) makes 1e-2 and more.
"""

from typing import Final

FLOAT32_SUMS: Final = 1e-4
# The same, where the sound carries a phase on from chunk to chunk, so that roundings add up.
# Seen: 2.7e-5 on an AMD EPYC (Zen 4), under 2e-5 on an Intel Xeon (Sapphire Rapids).
FLOAT32_SOUND: Final = 2e-4
# Copies and rearrangements that keep the length of sums: a few roundings.
FLOAT32_ROUNDING: Final = 1e-5
