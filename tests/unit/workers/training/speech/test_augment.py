"""Distortions of log-mels: seeded, bounded, and each with its stated effect."""

import dataclasses

import torch

from workers.training.speech.augment import SILENCE, Augmenter, Strength, padded

OFF = Strength(
    warp=(1.0, 1.0),
    stretch=(1.0, 1.0),
    gain_db=(0.0, 0.0),
    channel_db=0.0,
    narrow=0.0,
    quiet=1.0,
    room=0.0,
    masks=0,
)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    mels = torch.randn(4, 60, 80, generator=torch.Generator().manual_seed(1)) - 5
    return mels, torch.tensor([60, 50, 60, 40])


def test_no_strength_changes_nothing() -> None:
    mels, lengths = batch()
    y, kept = Augmenter(OFF)(mels, lengths)
    inside = torch.arange(60)[None] < lengths[:, None]
    assert torch.equal(kept, lengths)
    assert (y - mels)[inside].abs().max() < 0.02  # silence adds a little to the faintest bins


def test_equal_seeds_give_equal_results_and_the_input_stays_unchanged() -> None:
    mels, lengths = batch()
    before = mels.clone()
    first, second = Augmenter(seed=3)(mels, lengths), Augmenter(seed=3)(mels, lengths)
    other = Augmenter(seed=4)(mels, lengths)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[1], other[1])
    assert torch.equal(mels, before)
    assert first[0].isfinite().all()


def test_tempo_changes_the_lengths_within_its_bounds() -> None:
    mels, lengths = batch()
    y, stretched = Augmenter(dataclasses.replace(OFF, stretch=(1.5, 1.5))).tempo(mels, lengths)
    assert stretched.tolist() == [90, 75, 90, 60]
    assert y.shape == (4, 90, 80)
    assert (y[3, 60:] == SILENCE).all()
    assert torch.allclose(y[0, 30], mels[0, 20], atol=1e-4)


def test_warping_moves_a_peak_along_the_frequency_axis() -> None:
    mels = torch.full((1, 3, 80), -8.0)
    mels[:, :, 60] = 0.0
    lower = Augmenter(dataclasses.replace(OFF, warp=(1.15, 1.15))).warp(mels)
    higher = Augmenter(dataclasses.replace(OFF, warp=(0.87, 0.87))).warp(mels)
    assert int(lower[0, 0].argmax()) < 60 < int(higher[0, 0].argmax())


def test_a_room_adds_energy_after_speech_only() -> None:
    mels = torch.full((1, 40, 80), SILENCE)
    mels[:, 10:12] = 0.0
    y = Augmenter(dataclasses.replace(OFF, room=1.0)).room(mels)
    assert (y[:, :10] <= SILENCE + 0.1).all()
    assert (y[:, 12] > SILENCE + 3).all()
    assert (y[:, 30] < y[:, 12]).all()


def test_noise_fills_silence_at_its_distance_below_speech() -> None:
    mels = torch.full((2, 50, 80), SILENCE)
    mels[:, 10:40] = 0.0
    strength = dataclasses.replace(OFF, quiet=0.0, babble=0.0, noise_db=(20.0, 20.0))
    level = Augmenter(strength).noise(mels)[:, :10].mean()
    assert -20 / 8.686 - 1 < level < -20 / 8.686 + 1


def test_padding_is_silence() -> None:
    y = padded(torch.zeros(3, 80), 2, 1)[:, 0]
    assert torch.equal(y, torch.tensor([SILENCE, SILENCE, 0, 0, 0, SILENCE]))
