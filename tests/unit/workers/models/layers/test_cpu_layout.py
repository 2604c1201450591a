"""The CPU layout leaves results equal; tiles leave them close, and serve large batches only."""

import torch
from torch import nn

from tests.tolerances import FLOAT32_ROUNDING
from workers.models.layers.convnext import ConvNeXtStack
from workers.models.layers.cpu_layout import TILED_FROM, TiledLinear, lay_out, tile

WIDTH, HIDDEN = 64, 128


def stack() -> ConvNeXtStack:
    torch.manual_seed(0)
    return ConvNeXtStack(WIDTH, HIDDEN, blocks=2).eval()


@torch.no_grad()
def test_layers_that_are_laid_out_compute_the_same() -> None:
    plain, ours = stack(), lay_out(stack())
    x = torch.randn(3, 8, WIDTH, generator=torch.Generator().manual_seed(1))
    expected, got = plain.stream(x, plain.initial(3)), ours.stream(x, ours.initial(3))
    torch.testing.assert_close(got, expected, atol=FLOAT32_ROUNDING, rtol=0)
    copy = stack()
    copy.load_state_dict(ours.state_dict())
    torch.testing.assert_close(copy.stream(x, copy.initial(3)), expected, atol=0, rtol=0)


def test_written_out_the_convolution_is_the_one_that_is_trained() -> None:
    ours = stack()
    x = torch.randn(2, 5, WIDTH, generator=torch.Generator().manual_seed(2))
    trained = ours.stream(x, ours.initial(2))
    with torch.no_grad():
        torch.testing.assert_close(
            ours.stream(x, ours.initial(2)), trained, atol=FLOAT32_ROUNDING, rtol=0
        )


@torch.no_grad()
def test_few_rows_are_multiplied_exactly_and_many_in_bfloat16() -> None:
    torch.manual_seed(3)
    linear = nn.Linear(WIDTH, HIDDEN)
    tiled, many = TiledLinear(linear), TILED_FROM // (WIDTH * HIDDEN) + 1
    x = torch.randn(many, WIDTH)
    assert torch.equal(tiled(x[:4]), linear(x[:4]))
    difference = (tiled(x) - linear(x)).abs().max()
    assert 0 < difference < 0.03  # 8 bits of numbers of about 2
    assert tiled(x).dtype == torch.float32


def test_only_the_blocks_of_a_stack_are_tiled() -> None:
    module = nn.Sequential(stack(), nn.Linear(WIDTH, WIDTH))
    tiled = [type(part) for part in tile(module).modules() if isinstance(part, TiledLinear)]
    assert len(tiled) == 4
    assert isinstance(module[1], nn.Linear)
