"""The mel front end: causality, streaming, and the frequencies of its bins."""

import pytest
import torch

from workers.models.mel import LogMel, MelConfig, hz_to_mel, mel_edges_hz, mel_filters, mel_to_hz


def noise(rows: int, samples: int) -> torch.Tensor:
    return 0.1 * torch.randn(rows, samples, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("hops", [1, 2, 8, 17])
def test_any_chunking_equals_offline(hops: int) -> None:
    front = LogMel()
    samples = noise(2, 34 * 240)
    past = front.initial(2)
    frames = []
    for chunk in torch.split(samples, hops * 240, dim=1):
        mel, past = front.stream(chunk, past)
        frames.append(mel)
    assert (torch.cat(frames, 1) - front(samples)).abs().max() <= 1e-5


def test_a_frame_sees_no_sample_after_its_hop() -> None:
    front = LogMel()
    samples = noise(1, 20 * 240)
    changed = samples.clone()
    changed[:, 10 * 240 :] = 0.5
    before, after = front(samples), front(changed)
    assert torch.equal(before[:, :10], after[:, :10])
    assert not torch.equal(before[:, 10], after[:, 10])


def test_rows_are_independent() -> None:
    front = LogMel()
    samples = noise(3, 10 * 240)
    assert (front(samples)[1:2] - front(samples[1:2])).abs().max() <= 1e-5


def test_a_tone_is_loudest_in_the_bin_around_it() -> None:
    time_s = torch.arange(24_000) / 24_000
    mel = LogMel()(torch.sin(2 * torch.pi * 1000 * time_s)[None])[0, 50]
    edges = mel_edges_hz(MelConfig())
    loudest = int(mel.argmax())
    assert edges[loudest] < 1000 < edges[loudest + 2]


def test_silence_is_the_floor() -> None:
    mel = LogMel()(torch.zeros(1, 2400))
    assert mel.shape == (1, 10, 80)
    assert torch.allclose(mel, torch.tensor(1e-5).log())


def test_half_a_hop_is_refused() -> None:
    front = LogMel()
    with pytest.raises(ValueError, match="whole hops of 240 samples, got 100"):
        front.stream(torch.zeros(1, 100), front.initial(1))


def test_every_filter_covers_some_bin_and_the_scale_inverts() -> None:
    assert (mel_filters(MelConfig()).sum(0) > 0).all()
    hz = torch.tensor([50.0, 999.0, 1001.0, 11_000.0])
    assert torch.allclose(mel_to_hz(hz_to_mel(hz)), hz, rtol=1e-4)
