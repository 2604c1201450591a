"""HiFi-GAN as a vocoder: streaming equals offline, rows are independent, the reach is exact."""

import pytest
import torch
from torch import Tensor

from tests.tolerances import FLOAT32_SUMS
from tests.unit.workers.models.hifigan.public import make_generator
from workers.models.hifigan.generator import HifiGanConfig, HifiGanGenerator
from workers.models.hifigan.vocoder import STEP, HifiGan
from workers.models.voice.vocoder import HOP, SILENT_MEL

TOLERANCE = FLOAT32_SUMS


@pytest.fixture(scope="module")
def vocoder() -> HifiGan:
    return HifiGan(make_generator()).eval()


@pytest.fixture
def mel() -> Tensor:
    return torch.randn(2, 6 * STEP, 80, generator=torch.Generator().manual_seed(1)) * 2 - 5


@pytest.mark.parametrize("steps", [[6], [1] * 6, [2, 1, 3]])
def test_any_chunking_is_the_offline_sound_late_by_the_delay(
    vocoder: HifiGan, mel: Tensor, steps: list[int]
) -> None:
    silence = torch.full((2, vocoder.delay, 80), SILENT_MEL)
    state, parts = vocoder.initial(2), []
    for piece in [*torch.split(mel, [n * STEP for n in steps], dim=1), silence]:
        sound, state = vocoder.stream(piece, state)
        assert sound.shape == (2, piece.shape[1] * HOP)
        parts.append(sound)
    streamed = torch.cat(parts, dim=1)
    offline = vocoder(mel)
    assert offline.shape == (2, 6 * STEP * HOP)
    assert offline.abs().max() > 0.01
    assert not streamed[:, : vocoder.delay * HOP].any()
    assert (streamed[:, vocoder.delay * HOP :] - offline).abs().max() < TOLERANCE


def test_rows_at_different_places_do_not_see_each_other(vocoder: HifiGan, mel: Tensor) -> None:
    fresh, late = vocoder.initial(1), vocoder.initial(1)
    late = vocoder.follow(mel[1:, : 5 * STEP], late)
    both = tuple(torch.cat(pair) for pair in zip(fresh, late, strict=True))
    sound, _ = vocoder.stream(mel[:, -STEP:], both)
    alone, _ = vocoder.stream(mel[1:, -STEP:], late)
    assert not sound[0].any()
    assert (sound[1] - alone[0]).abs().max() < TOLERANCE
    assert alone.abs().max() > 0.01


def test_to_follow_leaves_the_state_of_to_stream(vocoder: HifiGan, mel: Tensor) -> None:
    streamed = vocoder.stream(mel, vocoder.initial(2))[1]
    followed = vocoder.follow(mel, vocoder.initial(2))
    assert all(torch.equal(a, b) for a, b in zip(streamed, followed, strict=True))


def test_a_part_of_a_step_is_refused(vocoder: HifiGan, mel: Tensor) -> None:
    with pytest.raises(ValueError, match="whole steps of 8"):
        vocoder.stream(mel[:, :5], vocoder.initial(2))


def test_what_the_denoiser_takes_away_is_the_hum() -> None:
    vocoder = HifiGan(make_generator()).eval()
    sound = vocoder.generator(torch.zeros(1, 80, 60))
    vocoder.denoiser.strength = 1.0
    clean = vocoder.denoiser(sound)
    middle = slice(20 * 256, 40 * 256)
    assert clean[:, middle].square().mean() < 0.02 * sound[:, middle].square().mean()
    vocoder.denoiser.strength = 0.0
    assert (vocoder.denoiser(sound)[:, middle] - sound[:, middle]).abs().max() < TOLERANCE


@pytest.mark.parametrize("kind", ["1", "2"])
def test_a_sample_depends_on_no_frame_beyond_the_reach(kind: str) -> None:
    torch.manual_seed(0)
    shape = HifiGanConfig(upsample_initial_channel=16, resblock=kind)
    generator = HifiGanGenerator(shape).double().eval().requires_grad_(False)
    mel = torch.randn(1, 80, 60, dtype=torch.float64)
    other = mel.clone()
    other[:, :, 30] += 1.0
    moved = (generator(mel) - generator(other)).abs()[0].reshape(60, 256).amax(dim=1) > 0
    touched = moved.nonzero().flatten()
    assert 30 - shape.reach <= int(touched[0]) < 30
    assert 30 < int(touched[-1]) <= 30 + shape.reach
