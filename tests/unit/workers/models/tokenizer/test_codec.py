"""The codec: both halves are causal, the decoder streams, the quantiser learns its data."""

import pytest
import torch
from torch import Tensor

from tests.tolerances import FLOAT32_SUMS
from workers.models.tokenizer.codec import CodecConfig, SpeechCodec
from workers.models.tokenizer.rvq import ResidualVq

TOLERANCE = FLOAT32_SUMS
CONFIG = CodecConfig(
    width=24, hidden=32, encoder_blocks=1, decoder_blocks=2, fine_width=8, fine_hidden=16,
    fine_blocks=1, latent=8, codebooks=3, codebook_size=16,
)  # fmt: skip


@pytest.fixture
def codec() -> SpeechCodec:
    torch.manual_seed(0)
    made = SpeechCodec(CONFIG)
    made.rvq.books.normal_()
    return made.eval().requires_grad_(False)


@pytest.fixture
def mel() -> Tensor:
    torch.manual_seed(1)
    return torch.randn(2, 80, 80) * 2 - 6


def test_codes_are_one_row_of_every_codebook_a_step(codec: SpeechCodec, mel: Tensor) -> None:
    codes = codec.encode(mel)
    assert codes.shape == (2, 10, 3)
    assert codes.dtype == torch.int64


def test_codes_do_not_depend_on_later_mels(codec: SpeechCodec, mel: Tensor) -> None:
    changed = mel.clone()
    changed[:, 40:] += 5.0
    assert torch.equal(codec.encode(mel)[:, :5], codec.encode(changed)[:, :5])
    assert not torch.equal(codec.encode(mel)[:, 5], codec.encode(changed)[:, 5])


@pytest.mark.parametrize("chunks", [[1] * 10, [3, 1, 6]])
def test_the_decoder_streams_what_it_decodes_offline(
    codec: SpeechCodec, mel: Tensor, chunks: list[int]
) -> None:
    codes = codec.encode(mel)
    state, parts = codec.decoder.initial(2), []
    for piece in torch.split(codes, chunks, dim=1):
        made, state = codec.decoder.stream(codec.rvq.decode(piece), state)
        parts.append(made)
    assert (torch.cat(parts, dim=1) - codec.decode(codes)).abs().max() < TOLERANCE


def test_half_a_step_is_refused(codec: SpeechCodec, mel: Tensor) -> None:
    with pytest.raises(ValueError, match="Expected whole steps of 8 mel frames, got 13"):
        codec.encode(mel[:, :13])


def test_silence_is_stable(codec: SpeechCodec) -> None:
    assert codec.silence().shape == (3,)
    assert torch.equal(codec.silence(), codec.silence())


def test_each_codebook_codes_what_the_ones_before_left() -> None:
    vq = ResidualVq(latent=2, codebooks=2, size=2)
    vq.books.copy_(torch.tensor([[[0.0, 0.0], [10.0, 0.0]], [[0.0, 1.0], [0.0, -1.0]]]))
    codes = vq.encode(torch.tensor([[9.5, 1.2], [0.3, -0.9]]))
    assert codes.tolist() == [[1, 0], [0, 1]]
    assert vq.decode(codes).tolist() == [[10.0, 1.0], [0.0, -1.0]]
    assert vq.decode(codes[:, :1]).tolist() == [[10.0, 0.0], [0.0, 0.0]]


def test_training_moves_the_codebooks_to_the_data() -> None:
    torch.manual_seed(3)
    centres = torch.randn(4, 4) * 5
    vq = ResidualVq(latent=4, codebooks=1, size=8)
    depth = torch.ones(4, dtype=torch.int64)
    vq.start(torch.randn(64, 4))
    losses = []
    for _ in range(200):
        latent = centres[torch.randint(4, (4, 16))] + 0.05 * torch.randn(4, 16, 4)
        losses.append(float(vq(latent, depth)[2]))
    assert losses[-1] < 0.1 * losses[0]


def test_fewer_codebooks_leave_the_later_ones_out_of_the_sum() -> None:
    torch.manual_seed(4)
    vq = ResidualVq(latent=4, codebooks=3, size=8)
    vq.books.normal_()
    latent = torch.randn(2, 5, 4)
    expected = vq.decode(vq.encode(latent)[..., :1])[0]
    quantised, _, _ = vq(latent, torch.tensor([1, 3]))
    assert (quantised[0] - expected).abs().max() < TOLERANCE
