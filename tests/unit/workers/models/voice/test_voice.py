"""The voice while serving: slots, resets, and the same sound as a whole decoded reply."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from shared.errors import ConfigError
from shared.modes import VocoderName
from shared.voices import UNCHOSEN, Offer, Persona
from tests.tolerances import FLOAT32_SOUND
from tests.unit.workers.models.hifigan.public import make_generator, norms, write
from workers.models.checkpoint import write_part
from workers.models.hifigan.vocoder import HifiGan
from workers.models.tokenizer.codec import CodecConfig, SpeechCodec
from workers.models.voice.repertoire import FILE, Repertoire, Style, Timbre
from workers.models.voice.vocoder import DELAY, HOP, Vocoder, VocoderConfig
from workers.models.voice.voice import Voice, load_voice

TOLERANCE = FLOAT32_SOUND
STEPS = 6
CODEC = CodecConfig(
    width=24, hidden=32, encoder_blocks=1, decoder_blocks=2, fine_width=8, fine_hidden=16,
    fine_blocks=1, latent=8, codebooks=3, codebook_size=16,
)  # fmt: skip
VOCODER = VocoderConfig(width=16, hidden=32, blocks=1, harmonic_cepstra=16, noise_cepstra=8)


REPERTOIRE = Repertoire(
    {"own": Timbre(), "low": Timbre(0.6, 0.85)}, {"own": Style(), "wide": Style(2.0, -3.0, 4.0)}
)


@pytest.fixture
def voice() -> Voice:
    torch.manual_seed(0)
    codec, vocoder = SpeechCodec(CODEC), Vocoder(VOCODER)
    codec.rvq.books.normal_()
    vocoder.requires_grad_(False).out.weight.mul_(5.0)
    return Voice(codec.eval().requires_grad_(False), vocoder.eval(), 4, REPERTOIRE)


@pytest.fixture
def codes() -> Tensor:
    return torch.randint(16, (2, STEPS, 3), generator=torch.Generator().manual_seed(2))


def whole(voice: Voice, codes: Tensor) -> Tensor:
    assert isinstance(voice.vocoder, Vocoder)
    made: Tensor = voice.vocoder(voice.codec.decode(codes))
    return made


def said(voice: Voice, codes: Tensor, rows: Tensor, *personas: Persona) -> Tensor:
    voice.reset(rows, personas)
    parts = [voice.step(codes[:, t], rows) for t in range(codes.shape[1])]
    return torch.cat([*parts, voice.flush(rows)], dim=1)


def test_steps_and_flush_give_the_whole_reply_after_the_delay(voice: Voice, codes: Tensor) -> None:
    sound = said(voice, codes, torch.tensor([2, 0]))
    assert sound.shape == (2, STEPS * 1920 + DELAY * HOP)
    assert not sound[:, : DELAY * HOP].any()
    assert (sound[:, DELAY * HOP :] - whole(voice, codes)).abs().max() < TOLERANCE


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


def test_each_row_speaks_in_its_own_voice(voice: Voice, codes: Tensor) -> None:
    plain = said(voice, codes, torch.tensor([0, 1]))
    other = Persona("low", "wide")
    mixed = said(voice, codes, torch.tensor([0, 1]), other, UNCHOSEN)
    assert (mixed[1] - plain[1]).abs().max() < TOLERANCE
    assert (mixed[0] - plain[0]).abs().max() > 100 * TOLERANCE
    alone = said(voice, codes[:1], torch.tensor([3]), other)
    assert (mixed[:1] - alone).abs().max() < TOLERANCE


def test_a_reply_goes_on_in_its_voice_when_its_steps_are_said_again(
    voice: Voice, codes: Tensor
) -> None:
    live, again = torch.tensor([1]), torch.tensor([2])
    other = [Persona("low", "wide")]
    voice.reset(live, other)
    for t in range(3):
        voice.step(codes[:1, t], live)
    voice.reset(again, other)
    voice.replay_steps(codes[:1, :3], again)
    change = voice.step(codes[:1, 3], live) - voice.step(codes[:1, 3], again)
    assert change.abs().max() < TOLERANCE


@pytest.fixture
def folder(tmp_path: Path, voice: Voice) -> Path:
    write_part(tmp_path / "weights", "codec", voice.codec, CODEC, {})
    write_part(tmp_path / "weights", "vocoder", Vocoder(VOCODER), VOCODER, {})
    return tmp_path / "weights"


def test_the_public_vocoder_speaks_where_it_is_there(folder: Path, codes: Tensor) -> None:
    cache = folder / "cache"
    cache.mkdir()
    write(cache / "hifigan_gen.pt", norms(make_generator()))
    (folder / FILE).write_text("[voice.low]\npitch = 0.6\n[voice.own]\n[style.own]\n[style.calm]")
    own = load_voice(folder, 1, cache=cache)
    assert isinstance(own.vocoder, Vocoder)
    assert own.offer == Offer(("low", "own"), ("own", "calm"))
    for name in (VocoderName.AUTO, VocoderName.HIFIGAN):
        made = load_voice(folder, 3, "cpu", name, cache)
        assert isinstance(made.vocoder, HifiGan)
        assert made.offer == Offer(("own",), ("own",))  # it takes mels and has no separate pitch
        sound = said(made, codes, torch.tensor([2, 0]))
        assert sound.shape == (2, STEPS * 1920 + made.delay_samples)
        assert not sound[:, : made.delay_samples].any()
        offline = made.vocoder(made.codec.decode(codes))
        assert (sound[:, made.delay_samples :] - offline).abs().max() < TOLERANCE


def test_without_its_file_auto_speaks_with_the_own_vocoder_and_hifigan_fails(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(load_voice(folder, 1, "cpu", VocoderName.AUTO, folder).vocoder, Vocoder)
    assert not caplog.records
    with pytest.raises(ConfigError, match="VOCODER=own"):
        load_voice(folder, 1, "cpu", VocoderName.HIFIGAN, folder)
    (folder / "hifigan.pt").write_bytes(b"damaged")
    assert isinstance(load_voice(folder, 1, "cpu", VocoderName.AUTO, folder).vocoder, Vocoder)
    assert "HiFi-GAN cannot be used" in caplog.text
