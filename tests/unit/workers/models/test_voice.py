"""The voice in service: slots, resets, and the same sound as the whole reply decoded at once."""

import pytest
import torch
from torch import Tensor

from workers.models.tokenizer.codec import Codec, CodecConfig
from workers.models.vocoder import Vocoder, VocoderConfig
from workers.models.voice import DELAY_SAMPLES, Voice

TOLERANCE = 1e-4  # float32: another batch size sums in another order, and the phase remembers
STEPS = 6
CODEC = CodecConfig(
    width=24, hidden=32, encoder_blocks=1, decoder_blocks=2, fine_width=8, fine_hidden=16,
    fine_blocks=1, latent=8, codebooks=3, codebook_size=16,
)  # fmt: skip
VOCODER = VocoderConfig(width=16, hidden=32, blocks=1, harmonic_cepstra=16, noise_cepstra=8)


@pytest.fixture
def voice() -> Voice:
    torch.manual_seed(0)
    codec, vocoder = Codec(CODEC), Vocoder(VOCODER)
    codec.rvq.books.normal_()
    vocoder.requires_grad_(False).out.weight.mul_(5.0)
    return Voice(codec.eval().requires_grad_(False), vocoder.eval(), slots=4)


@pytest.fixture
def codes() -> Tensor:
    return torch.randint(16, (2, STEPS, 3), generator=torch.Generator().manual_seed(2))


def whole(voice: Voice, codes: Tensor) -> Tensor:
    made: Tensor = voice.vocoder(voice.codec.decode(codes))
    return made


def said(voice: Voice, codes: Tensor, rows: Tensor) -> Tensor:
    voice.reset(rows)
    parts = [voice.step(codes[:, t], rows) for t in range(codes.shape[1])]
    return torch.cat([*parts, voice.flush(rows)], dim=1)


def test_steps_and_flush_give_the_whole_reply_after_the_delay(voice: Voice, codes: Tensor) -> None:
    sound = said(voice, codes, torch.tensor([2, 0]))
    assert sound.shape == (2, STEPS * 1920 + DELAY_SAMPLES)
    assert not sound[:, :DELAY_SAMPLES].any()
    assert (sound[:, DELAY_SAMPLES:] - whole(voice, codes)).abs().max() < TOLERANCE


def test_a_reply_does_not_depend_on_its_slot_or_its_neighbours(voice: Voice, codes: Tensor) -> None:
    together = said(voice, codes, torch.tensor([0, 1]))
    alone = said(voice, codes[1:], torch.tensor([3]))
    assert (together[1:] - alone).abs().max() < TOLERANCE


def test_slots_that_do_not_take_part_stand_still(voice: Voice, codes: Tensor) -> None:
    rows, other = torch.tensor([1]), torch.tensor([2])
    voice.reset(torch.tensor([1, 2]))
    parts = []
    for t in range(STEPS):
        parts.append(voice.step(codes[:1, t], rows))
        voice.step(codes[1:, 0], other)
    parts.append(voice.flush(rows))
    assert (torch.cat(parts, dim=1) - said(voice, codes[:1], rows)).abs().max() < TOLERANCE


def test_reset_forgets_the_reply_before(voice: Voice, codes: Tensor) -> None:
    rows = torch.tensor([0])
    first = said(voice, codes[:1], rows)
    said(voice, codes[1:], rows)
    assert torch.equal(said(voice, codes[:1], rows), first)
