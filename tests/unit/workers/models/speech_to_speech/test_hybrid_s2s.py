"""HybridS2S: any chunking equals offline, rows are independent, draws depend on the seed."""

from dataclasses import replace

import pytest
import torch

from tests.tolerances import FLOAT32_SUMS
from workers.models.layers.transformer import TransformerConfig
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, Inputs, S2SConfig, tiny
from workers.models.speech_to_speech.sampling import Draws, greedy

CONFIG = S2SConfig(
    heard_width=12,
    texts=20,
    codebooks=3,
    codes=16,
    temporal=TransformerConfig(width=32, layers=2, heads=4, window=64),
    depth_width=16,
    depth_layers=2,
    depth_heads=2,
    sees_codes=True,
)
TOLERANCE = FLOAT32_SUMS


@pytest.fixture(scope="module")
def model() -> HybridS2S:
    torch.manual_seed(3)
    return HybridS2S(CONFIG).eval()


def made_inputs(rows: int, positions: int, seed: int = 0) -> Inputs:
    made = torch.Generator().manual_seed(seed)
    return Inputs(
        torch.randn(rows, positions, CONFIG.heard_width, generator=made),
        torch.rand(rows, positions, generator=made) > 0.3,
        torch.randint(0, CONFIG.texts, (rows, positions), generator=made),
        torch.randint(0, CONFIG.hidden + 1, (rows, positions, CONFIG.codebooks), generator=made),
    )


def piece(inputs: Inputs, start: int, end: int) -> Inputs:
    parts = (inputs.heard, inputs.hears, inputs.text, inputs.codes)
    return Inputs(*(part[:, start:end] for part in parts))


@torch.inference_mode()
@pytest.mark.parametrize("sizes", [[1] * 24, [24], [7, 1, 1, 15], [20, 1, 1, 1, 1]])
def test_any_pieces_equal_offline(model: HybridS2S, sizes: list[int]) -> None:
    inputs = made_inputs(2, 24)
    offline = model(inputs)
    cache, rows, got, start = model.cache(4), torch.tensor([3, 1]), [], 0
    for size in sizes:
        got.append(model.stream(piece(inputs, start, start + size), cache, rows))
        start += size
    assert (torch.cat(got, dim=1) - offline).abs().max() <= TOLERANCE


@torch.inference_mode()
def test_prefill_of_rows_of_different_lengths_equals_each_alone(model: HybridS2S) -> None:
    inputs, lengths = made_inputs(2, 12), torch.tensor([5, 12])
    cache = model.cache(2)
    together = model.stream(inputs, cache, torch.tensor([0, 1]), lengths)
    following = made_inputs(2, 1, seed=1)
    after = model.stream(following, cache, torch.tensor([0, 1]))
    for row, length in enumerate(lengths.tolist()):
        alone = model.cache(1)
        own = piece(
            Inputs(*(getattr(inputs, n)[row : row + 1] for n in inputs.__slots__)), 0, length
        )
        expected = model.stream(own, alone, torch.tensor([0]))
        assert (together[row, :length] - expected[0]).abs().max() <= TOLERANCE
        one = Inputs(*(getattr(following, n)[row : row + 1] for n in following.__slots__))
        assert (
            after[row] - model.stream(one, alone, torch.tensor([0]))[0]
        ).abs().max() <= TOLERANCE


@torch.inference_mode()
def test_a_reset_row_forgets_and_its_neighbour_does_not(model: HybridS2S) -> None:
    inputs = made_inputs(2, 8)
    cache, rows = model.cache(2), torch.tensor([0, 1])
    model.stream(inputs, cache, rows)
    cache.reset(torch.tensor([0]))
    again = model.stream(inputs, cache, rows)
    assert (again[0] - model(inputs)[0]).abs().max() <= TOLERANCE
    assert (again[1] - model(inputs)[1]).abs().max() > 10 * TOLERANCE


@torch.inference_mode()
def test_depth_steps_equal_teacher_forcing(model: HybridS2S) -> None:
    states, text = torch.randn(5, 32), torch.randint(0, CONFIG.texts, (5,))
    codes = model.sample_codes(states, text, greedy)
    assert torch.equal(model.code_logits(states, text, codes).argmax(-1), codes)


def test_an_unheard_position_ignores_its_state(model: HybridS2S) -> None:
    inputs = made_inputs(1, 4)
    silent = Inputs(inputs.heard, torch.zeros(1, 4, dtype=torch.bool), inputs.text, inputs.codes)
    other = Inputs(inputs.heard + 1, silent.hears, inputs.text, inputs.codes)
    assert torch.equal(model.embed(silent), model.embed(other))


def test_a_model_that_does_not_see_its_codes_ignores_them() -> None:
    inputs = made_inputs(1, 4)
    other = replace(inputs, codes=torch.zeros_like(inputs.codes))
    deaf = HybridS2S(replace(CONFIG, sees_codes=False))
    assert torch.equal(deaf.embed(inputs), deaf.embed(other))
    seeing = HybridS2S(CONFIG)
    assert not torch.equal(seeing.embed(inputs), seeing.embed(other))


def test_draws_depend_on_session_and_step_only() -> None:
    logits = torch.randn(3, 40, generator=torch.Generator().manual_seed(1))
    together = Draws([7, 8, 9], [4, 5, 6], temperature=1.0)(logits, 2)
    for row in range(3):
        alone = Draws([7 + row], [4 + row], temperature=1.0)(logits[row : row + 1], 2)
        assert alone[0] == together[row]
    flat = torch.zeros(200, 40)
    spread = Draws([7] * 200, list(range(200)), temperature=1.0)(flat, 0)
    assert len(set(spread.tolist())) > 20


def test_tiny_fits_its_file() -> None:
    parameters = sum(p.numel() for p in HybridS2S(tiny(256, 320)).parameters())
    assert parameters * 2 <= 14_000_000
