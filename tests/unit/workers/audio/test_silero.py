"""Silero's network in numpy against its authors' own, and the VAD made of it."""

import warnings
from importlib.metadata import distribution

import numpy as np
import pytest
import torch

from shared.audio import CHUNK_SAMPLES, Floats, Pcm16
from tests.sounds import hum, noise, silence
from workers.audio.silero_network import CONTEXT, WINDOW, load_silero
from workers.audio.silero_vad import SileroVad, listen_ahead, resampled

THRESHOLD = 0.001


def reference(samples: Floats) -> list[float]:
    """The published TorchScript's chances for 16 kHz samples."""
    path = distribution("silero-vad").locate_file("silero_vad/data/silero_vad.jit")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit itself, not our use of it
        model = torch.jit.load(str(path)).eval()  # type: ignore[no-untyped-call]
    with torch.no_grad():
        windows = torch.from_numpy(samples).view(-1, WINDOW)
        return [float(model(window, 16_000)) for window in windows]


def spoken(seed: int, chunks: int = 20) -> list[Pcm16]:
    """Made-up speech of some pitch in noise."""
    words = [part for _ in range(chunks // 5 + 1) for part in (*hum(4), *silence(1))]
    clean = np.concatenate(words[:chunks])
    hiss = np.concatenate(noise(chunks, seed, 400))
    buzz = np.concatenate(hum(chunks, 90 + 30 * seed, 0.1))
    mixed = (clean // 2 + buzz // 2 + hiss).astype(np.int16)
    return list(mixed.reshape(chunks, CHUNK_SAMPLES))


def test_the_network_says_what_its_authors_own_says() -> None:
    rng = np.random.default_rng(3)
    t = np.arange(30 * WINDOW) / 16_000
    tone = np.sum([np.sin(2 * np.pi * 140 * k * t * (1 + 0.1 * t)) / k for k in range(1, 20)], 0)
    samples = (0.1 * tone * (np.sin(5 * t) > 0) + 0.01 * rng.standard_normal(len(t))).astype("f4")
    padded, state, found = np.pad(samples, (CONTEXT, 0)), np.zeros((1, 2, 128), "f4"), []
    for at in range(0, len(samples), WINDOW):
        chance, state = load_silero()(padded[None, at : at + CONTEXT + WINDOW], state)
        found.append(float(chance[0]))
    wanted = reference(samples)
    assert max(wanted) > 20 * min(wanted)
    assert np.abs(np.array(found) - wanted).max() < 1e-4
    assert np.abs(load_silero().chances(samples) - wanted).max() < 1e-4


def test_tones_below_the_new_half_rate_pass_and_those_above_do_not() -> None:
    t = np.arange(24 + CHUNK_SAMPLES) / 24_000
    for hz, low, high in ((500, 0.97, 1.03), (5_000, 0.9, 1.05), (10_500, 0.0, 0.02)):
        tone = (8_000 * np.sin(2 * np.pi * hz * t)).astype("f4")[None]
        size = np.sqrt(2 * np.mean(resampled(tone)[0] ** 2)) / 8_000
        assert low <= size <= high


def test_callers_heard_together_are_heard_as_alone() -> None:
    calls = [spoken(seed) for seed in range(4)]
    alone = []
    for call in calls:
        vad = SileroVad()
        alone.append([vad.hear(chunk, THRESHOLD) for chunk in call])
    vads = [SileroVad() for _ in calls]
    together: list[list[tuple[bool, ...]]] = [[] for _ in calls]
    for at in range(0, 20, 5):
        # Some are behind: they are given one chunk ahead, or five, or have been heard already.
        counts = [1, 5, 3, 5]
        batch = [(v, call[at : at + n]) for v, call, n in zip(vads, calls, counts, strict=True)]
        listen_ahead(batch)
        listen_ahead(batch[:2])
        for vad, call, found in zip(vads, calls, together, strict=True):
            found += [vad.hear(chunk, THRESHOLD) for chunk in call[at : at + 5]]
    assert together == alone
    assert any(any(frames) for call in alone for frames in call)


def test_it_goes_on_from_its_state() -> None:
    chunks = [*noise(5), *spoken(1), *silence(5), *spoken(2)]
    whole = SileroVad()
    expected = [whole.hear(chunk, THRESHOLD) for chunk in chunks]
    vad, heard = SileroVad(), []
    for chunk in chunks:
        heard.append(vad.hear(chunk, THRESHOLD))
        vad = SileroVad.restore(vad.state())
    assert heard == expected
    assert vad.state() == whole.state()
    assert len(vad.state()["memory"]) < 1_250


def test_neither_noise_nor_what_is_too_faint_is_speech() -> None:
    vad = SileroVad()
    assert not np.any([vad.hear(chunk, THRESHOLD) for chunk in noise(40)])
    vad = SileroVad()
    assert not np.any([vad.hear(chunk, 0.9) for chunk in spoken(1)])


@pytest.mark.parametrize("chunks", [1, 2, 7])
def test_every_chunk_gives_four_frames(chunks: int) -> None:
    vad = SileroVad()
    assert [len(vad.hear(chunk, THRESHOLD)) for chunk in spoken(0, chunks)] == [4] * chunks
