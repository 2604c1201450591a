"""Holds keys and values in fixed slots and attends over views of them, without copies.

Each row with several new tokens gets its own attention call. A call costs as much as 150 positions
of another row. So rows with one new token share a call if they are neighbours in the cache and
about equally long. Positions that a row does not hold are masked and add exact zeros.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from workers.models.llama.config import LlamaConfig

# The cost of one more call, in positions of one layer's keys: 25 us against 0.17 us on a Zen 4
# core, where 30 layers' keys come from memory and not from a cache.
CALL_POSITIONS: Final = 150


@dataclass(frozen=True, slots=True)
class RowSpan:
    """One row's share of a call: its tokens' places in the flat batch and in its slot."""

    row: int
    flat: int  # where its tokens begin in the flat batch
    start: int  # its positions before this call
    count: int

    @property
    def end(self) -> int:
        """Its positions after this call."""
        return self.start + self.count


@dataclass(frozen=True, slots=True)
class AttentionCall:
    """One attention call, over neighbouring slots."""

    rows: slice  # neighbours in the cache; some may have no new token
    end: int  # positions that are read
    # Where each query attends, bool, (rows, 1, 1 or H / G * tokens, end); None: everywhere.
    mask: Tensor | None
    single: bool  # one token of each row; else all tokens of one row
    flat: Tensor  # where the queries lie in the flat batch
    inner: Tensor  # which of `rows` they belong to, if single


@dataclass(frozen=True, slots=True)
class AttentionPlan:
    """The rows' spans and the attention calls over them. Every layer uses the same plan."""

    spans: tuple[RowSpan, ...]
    rows: Tensor  # (N,) the slot of each token
    positions: Tensor  # (N,) its place there
    runs: tuple[AttentionCall, ...]


def plan(
    config: LlamaConfig,
    rows: Sequence[int],
    starts: Sequence[int],
    counts: Sequence[int],
    device: torch.device,
) -> AttentionPlan:
    """The plan for rows with `counts` new tokens each, concatenated in the flat batch."""
    spans: list[RowSpan] = []
    flat = 0
    for row, start, count in zip(rows, starts, counts, strict=True):
        spans.append(RowSpan(row, flat, start, count))
        flat += count
    single = sorted((span for span in spans if span.count == 1), key=lambda span: span.row)
    runs = [_together(part, device) for part in runs_of(single)]
    runs += [_alone(config, span, device) for span in spans if span.count > 1]
    return AttentionPlan(
        tuple(spans),
        torch.tensor([span.row for span in spans for _ in range(span.count)], device=device),
        torch.tensor([at for span in spans for at in range(span.start, span.end)], device=device),
        tuple(runs),
    )


def runs_of(spans: Sequence[RowSpan]) -> list[list[RowSpan]]:
    """Group spans of one token, sorted by row, where one call is cheaper than several."""
    found: list[list[RowSpan]] = []
    longest = 0
    for span in spans:
        if found:
            first, last = found[-1][0].row, found[-1][-1].row
            together = (span.row - first + 1) * max(longest, span.end)
            apart = (last - first + 1) * longest + span.end + CALL_POSITIONS
            if together <= apart:
                found[-1].append(span)
                longest = max(longest, span.end)
                continue
        found.append([span])
        longest = span.end
    return found


def _together(spans: Sequence[RowSpan], device: torch.device) -> AttentionCall:
    first, size = spans[0].row, spans[-1].row - spans[0].row + 1
    end = max(span.end for span in spans)
    ends = torch.ones(size, dtype=torch.int64)  # the result of a slot without a new token is unused
    for span in spans:
        ends[span.row - first] = span.end
    mask = None
    if size > 1:
        mask = (torch.arange(end) < ends[:, None])[:, None, None].to(device)
    return AttentionCall(
        rows=slice(first, first + size),
        end=end,
        mask=mask,
        single=True,
        flat=torch.tensor([span.flat for span in spans], device=device),
        inner=torch.tensor([span.row - first for span in spans], device=device),
    )


def _alone(config: LlamaConfig, span: RowSpan, device: torch.device) -> AttentionCall:
    seen = torch.ones(span.count, span.end, dtype=torch.bool, device=device).tril(span.start)
    mask = seen.repeat(config.heads // config.kv_heads, 1)[None, None]
    return AttentionCall(
        rows=slice(span.row, span.row + 1),
        end=span.end,
        mask=mask,
        single=False,
        flat=torch.arange(span.flat, span.flat + span.count, device=device),
        inner=torch.zeros(span.count, dtype=torch.int64, device=device),
    )


class KeyValueCache:
    """K and V of every layer, (slots, G, capacity, E) each."""

    def __init__(
        self, config: LlamaConfig, slots: int, capacity: int, device: torch.device
    ) -> None:
        shape = (slots, config.kv_heads, capacity, config.head_size)
        kind = torch.float32 if device.type == "cpu" else torch.bfloat16

        def zeros() -> Tensor:
            # On a CPU, zeroed pages take memory only once they are written.
            return torch.zeros(shape, dtype=kind, device=device)

        self._layers = [(zeros(), zeros()) for _ in range(config.layers)]

    def copy(self, source: int, target: int, positions: int) -> None:
        """Copy the first positions of one slot to another."""
        for kept in self._layers:
            for part in kept:
                part[target, :, :positions] = part[source, :, :positions]

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, plan: AttentionPlan) -> Tensor:
        """Store k, v (N, G, E); attend with q (N, H, E) to each row's positions -> (N, H * E)."""
        keys, values = self._layers[layer]
        keys[plan.rows, :, plan.positions] = k.to(keys.dtype)
        values[plan.rows, :, plan.positions] = v.to(values.dtype)
        out = torch.empty_like(q)
        for run in plan.runs:
            seen = (run.rows, slice(None), slice(run.end))
            one = _of_several if run.single else _of_one
            one(q, keys[seen], values[seen], run, out)
        return out.flatten(1)


def _of_several(q: Tensor, k: Tensor, v: Tensor, run: AttentionCall, out: Tensor) -> None:
    """One token of each row: q, out (N, H, E), k, v (R, G, S, E).

    The H / G heads that share keys become further queries of one head, so no key is repeated.
    """
    rows, groups, _, width = k.shape
    if len(run.flat) == rows:
        asked = q[run.flat].view(rows, groups, -1, width)
    else:
        asked = q.new_zeros(rows, groups, q.shape[1] // groups, width)
        asked[run.inner] = q[run.flat].view(len(run.flat), groups, -1, width)
    found = F.scaled_dot_product_attention(asked.to(k.dtype), k, v, attn_mask=run.mask)
    out[run.flat] = found[run.inner].flatten(1, 2).to(out.dtype)


def _of_one(q: Tensor, k: Tensor, v: Tensor, run: AttentionCall, out: Tensor) -> None:
    """Several tokens of one row: q, out (N, H, E), k, v (1, G, S, E)."""
    groups, width = k.shape[1], k.shape[3]
    # (T, G, H / G, E) -> (G, H / G, T, E)
    part = q[run.flat]
    size = len(part)
    asked = part.view(size, groups, -1, width).permute(1, 2, 0, 3)
    asked = asked.reshape(1, groups, -1, width).to(k.dtype)
    found = F.scaled_dot_product_attention(asked, k, v, attn_mask=run.mask)
    found = found.view(groups, -1, size, width).permute(2, 0, 1, 3)  # (T, G, H / G, E)
    out[run.flat] = found.reshape(size, -1, width).to(out.dtype)
