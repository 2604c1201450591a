"""Runs a language model over fixed slots: a row for each conversation, all rows in one batch."""

from collections.abc import Sequence
from itertools import chain
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from workers.models.llama.attention import KeyValueCache, plan
from workers.models.llama.chat import Chat
from workers.models.llama.precision import decoder_of
from workers.models.llama.source import Source
from workers.models.llama.tokenizer import Tokenizer

SCORED: Final = 5  # sequences at once
SCORED_TOKENS: Final = 64


class LlamaModel:
    """A model of the Llama family. Rows are independent, and one thread calls it.

    A row's state is the keys and values of its positions. The result for a row depends on the other
    rows of the call only by rounding.
    """

    def __init__(
        self,
        source: Source,
        *,
        slots: int,
        capacity: int,
        precision: str = "auto",
        device: str = "cpu",
    ) -> None:
        self.slots, self.capacity = slots, capacity
        self.tokenizer: Tokenizer = source.tokenizer
        self.chat: Chat = source.chat
        self.vocab = source.config.vocab
        self._device = torch.device(device)
        self._config = source.config
        self._decoder = decoder_of(source, precision, capacity, self._device)
        # The callers' slots, then one for the prefix that they share, then those for scoring.
        self._cache = KeyValueCache(source.config, slots + 1 + SCORED, capacity, self._device)
        self._lengths = [0] * (slots + 1)

    def share(self, tokens: Sequence[int]) -> None:
        """Compute the keys and values of the system prompt with which rows begin."""
        self._lengths[self.slots] = 0
        if tokens:
            self._extend([self.slots], [tokens], ())

    def reset(self, row: int, *, shared: bool = True) -> None:
        """Reset the row to the shared prefix, or to nothing."""
        self._own(row)
        self._lengths[row] = self._lengths[self.slots] if shared else 0
        if shared:
            with torch.inference_mode():
                self._cache.copy(self.slots, row, self._lengths[row])

    def length(self, row: int) -> int:
        """The number of positions that a row holds."""
        return self._lengths[row]

    def cut(self, row: int, length: int) -> None:
        """Forget a row's positions from `length` on."""
        self._own(row)
        if not 0 <= length <= self._lengths[row]:
            raise ValueError(f"Expected a length up to {self._lengths[row]}, got {length}")
        self._lengths[row] = length

    def likelihoods(self, start: Sequence[int], sequences: Sequence[Sequence[int]]) -> list[float]:
        """Each sequence's mean log probability a token, after the shared prefix and `start`.

        No sequence may be empty. `start` and a sequence together are cut to SCORED_TOKENS.
        """
        groups = [sequences[at : at + SCORED] for at in range(0, len(sequences), SCORED)]
        return [found for group in groups for found in self._scored(start, group)]

    @torch.inference_mode()
    def _scored(self, start: Sequence[int], sequences: Sequence[Sequence[int]]) -> list[float]:
        before = self._lengths[self.slots]
        parts = [[*start, *sequence][:SCORED_TOKENS] for sequence in sequences]
        rows = list(range(self.slots + 1, self.slots + 1 + len(parts)))
        for row in rows:
            self._cache.copy(self.slots, row, before)
        counts = [len(part) for part in parts]
        planned = plan(self._config, rows, [before] * len(rows), counts, self._device)
        flat = torch.tensor(list(chain.from_iterable(parts)), device=self._device)
        skip = len(start) - 1
        places = [range(span.flat + skip, span.flat + span.count - 1) for span in planned.spans]
        before_each = torch.tensor(list(chain.from_iterable(places)), device=self._device)
        shares = self._decoder(flat, planned, self._cache, before_each).float().log_softmax(-1)
        wanted = torch.tensor([t for part in parts for t in part[skip + 1 :]], device=self._device)
        said = torch.split(shares.gather(1, wanted[:, None])[:, 0], [len(one) for one in places])
        return [float(one.mean()) for one in said]

    def extend(
        self,
        rows: Sequence[int],
        tokens: Sequence[Sequence[int]],
        also: Sequence[tuple[int, int]] = (),
    ) -> NDArray[np.float32]:
        """Append one or more tokens to each of the rows, which must be distinct.

        Returns logits (len(rows), vocab) after each row's last token. `also`: pairs of a place in
        `rows` and a number of its tokens. The logits after so many tokens follow, in order.
        """
        for row in rows:
            self._own(row)
        return self._extend(rows, tokens, also)

    @torch.inference_mode()
    def _extend(
        self,
        rows: Sequence[int],
        tokens: Sequence[Sequence[int]],
        also: Sequence[tuple[int, int]],
    ) -> NDArray[np.float32]:
        counts = [len(part) for part in tokens]
        starts = [self._lengths[row] for row in rows]
        self._check(rows, starts, counts)
        planned = plan(self._config, rows, starts, counts, self._device)
        flat = torch.tensor(list(chain.from_iterable(tokens)), device=self._device)
        places = [span.flat + span.count for span in planned.spans]
        places += [planned.spans[place].flat + count for place, count in also]
        wanted = torch.tensor(places, device=self._device) - 1
        logits = self._decoder(flat, planned, self._cache, wanted)
        for span in planned.spans:
            self._lengths[span.row] = span.end
        found: NDArray[np.float32] = logits.cpu().numpy()
        return found

    def _own(self, row: int) -> None:
        if not 0 <= row < self.slots:
            raise ValueError(f"Expected a row below {self.slots}, got {row}")

    def _check(self, rows: Sequence[int], starts: Sequence[int], counts: Sequence[int]) -> None:
        if not rows or len(set(rows)) != len(rows) or len(counts) != len(rows):
            raise ValueError(f"Expected some rows, each once, with tokens each, got {rows}")
        if min(counts) < 1:
            raise ValueError(f"Expected at least one token for each row, got {counts}")
        for row, start, count in zip(rows, starts, counts, strict=True):
            if start + count > self.capacity:
                raise ValueError(
                    f"Expected at most {self.capacity} positions, got {start + count} in row {row}"
                )
