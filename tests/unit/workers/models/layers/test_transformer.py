"""Causal layers: any chunking equals offline, rows are independent, reset clears a slot."""

import pytest
import torch
from torch import Tensor

from tests.tolerances import FLOAT32_SUMS
from workers.models.layers.transformer import (
    Attention,
    CausalConv1d,
    Transformer,
    TransformerConfig,
)

CONFIG = TransformerConfig(width=16, layers=2, heads=2, window=6)
TOLERANCE = FLOAT32_SUMS


@pytest.fixture
def transformer() -> Transformer:
    torch.manual_seed(0)
    return Transformer(CONFIG).eval()


def inputs(rows: int, steps: int, seed: int = 1) -> Tensor:
    return torch.randn(rows, steps, CONFIG.width, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
@pytest.mark.parametrize("chunk", [1, 2, 3, 5])
def test_streaming_equals_offline_far_beyond_the_ring(transformer: Transformer, chunk: int) -> None:
    x = inputs(2, 30)
    cache = transformer.cache(slots=4, capacity=CONFIG.window + chunk - 1)
    rows = torch.tensor([3, 1])
    parts = [transformer.stream(part, cache, rows) for part in torch.split(x, chunk, dim=1)]
    assert (torch.cat(parts, 1) - transformer(x)).abs().max() <= TOLERANCE


@torch.no_grad()
def test_rows_at_different_positions_do_not_touch_each_other(transformer: Transformer) -> None:
    cache = transformer.cache(slots=2, capacity=8)
    x, other = inputs(1, 7), inputs(1, 4, seed=2)
    transformer.stream(other[:, :3], cache, torch.tensor([1]))
    first = transformer.stream(x[:, :3], cache, torch.tensor([0]))
    both = transformer.stream(torch.cat([x[:, 3:4], other[:, 3:4]]), cache, torch.tensor([0, 1]))
    rest = transformer.stream(x[:, 4:], cache, torch.tensor([0]))
    said = torch.cat([first, both[:1], rest], 1)
    assert (said - transformer(x)).abs().max() <= TOLERANCE
    assert (both[1, 0] - transformer(other)[0, 3]).abs().max() <= TOLERANCE


@torch.no_grad()
def test_reset_begins_one_slot_afresh(transformer: Transformer) -> None:
    cache = transformer.cache(slots=2, capacity=10)
    rows = torch.tensor([0, 1])
    x = inputs(2, 8)
    transformer.stream(x[:, :4], cache, rows)
    cache.reset(torch.tensor([0]))
    y = transformer.stream(x[:, 4:], cache, rows)
    assert (y[0] - transformer(x[:1, 4:])[0]).abs().max() <= TOLERANCE
    assert (y[1] - transformer(x[1:])[0, 4:]).abs().max() <= TOLERANCE


@torch.no_grad()
def test_padding_of_a_shared_step_is_never_seen(transformer: Transformer) -> None:
    cache = transformer.cache(slots=2, capacity=12)
    rows = torch.tensor([0, 1])
    x = inputs(2, 7)
    lengths = torch.tensor([5, 2])
    transformer.stream(x[:, :5], cache, rows, kept=lengths)
    later = transformer.stream(x[:, 5:6], cache, rows)
    short = torch.cat([x[1:, :2], x[1:, 5:6]], 1)
    assert (later[0, 0] - transformer(x[:1])[0, 5]).abs().max() <= TOLERANCE
    assert (later[1, 0] - transformer(short)[0, 2]).abs().max() <= TOLERANCE


@torch.no_grad()
def test_truncate_forgets_what_came_after(transformer: Transformer) -> None:
    cache = transformer.cache(slots=1, capacity=12)
    row = torch.tensor([0])
    x = inputs(1, 8)
    transformer.stream(x[:, :5], cache, row)
    cache.truncate(row, torch.tensor([3]))
    y = transformer.stream(x[:, 5:], cache, row)
    kept = torch.cat([x[:, :3], x[:, 5:]], 1)
    assert (y - transformer(kept)[:, 3:]).abs().max() <= TOLERANCE


@torch.no_grad()
def test_a_position_sees_its_window_and_no_future(transformer: Transformer) -> None:
    x = inputs(1, 20)
    changed = x.clone()
    changed[:, 0] += 1.0
    moved = (transformer(x) - transformer(changed)).abs().amax(dim=(0, 2))
    reach = CONFIG.layers * (CONFIG.window - 1)
    assert (moved[1 : reach + 1] > 0).any()
    assert (moved[reach + 1 :] == 0).all()
    changed = x.clone()
    changed[:, 10:] = 0.0
    assert torch.allclose(transformer(x)[:, :10], transformer(changed)[:, :10], atol=TOLERANCE)


def test_a_step_longer_than_the_cache_is_refused(transformer: Transformer) -> None:
    with pytest.raises(ValueError, match="at most 4 positions"):
        transformer.stream(inputs(1, 5), transformer.cache(1, 4), torch.tensor([0]))


def test_an_odd_head_width_is_refused() -> None:
    with pytest.raises(ValueError, match="even head width"):
        Attention(TransformerConfig(width=6, layers=1, heads=2, window=4))


@torch.no_grad()
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (4, 2), (6, 2), (2, 2)])
def test_convolution_streams(kernel: int, stride: int) -> None:
    torch.manual_seed(0)
    layer = CausalConv1d(5, 7, kernel, stride)
    x = torch.randn(3, 5, 24)
    past = layer.initial(3)
    parts = []
    for chunk in torch.split(x, 3 * stride, dim=2):
        y, past = layer.stream(chunk, past)
        parts.append(y)
    assert (torch.cat(parts, 2) - layer(x)).abs().max() <= TOLERANCE


def test_a_kernel_shorter_than_its_stride_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel 1, stride 2"):
        CausalConv1d(2, 2, kernel=1, stride=2)
