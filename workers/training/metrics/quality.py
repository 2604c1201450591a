"""How good the assistant's voice is after codec and vocoder, against its own recordings.

STOI (0 to 1), PESQ wide-band (1 to 4.6) and the word errors of pocketsphinx's English model, on
held-out sentences and on replies. The held-out sentences are strings of random words, which no
language model expects: their word errors are high on the recordings too, so compare, not judge.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import torch

from shared.audio import Floats
from workers.models.mel import LogMel
from workers.models.tokenizer.codec import Codec
from workers.models.vocoder import Vocoder
from workers.training.questions.dialogue import words
from workers.training.speech.assistant import Utterance, load_shard
from workers.training.speech.clips import padded

SPEECH_RATE_HZ: Final = 16_000
SENTENCES: Final = 60


class Both(Protocol):
    """The voice under test: what `voice.Both` is."""

    codec: Codec
    vocoder: Vocoder


def measure(both: Both, runs: Path) -> dict[str, float]:
    """All measures on up to 60 held-out sentences and 60 replies."""
    found: dict[str, float] = {}
    every = len(load_shard(runs, "replies")) // SENTENCES + 1
    sets = {
        "heldout": load_shard(runs, "heldout")[:SENTENCES],
        "replies": load_shard(runs, "replies")[::every],
    }
    for name, said in sets.items():
        pairs = [(at_16k(padded(u.samples)), at_16k(resynthesised(both, u))) for u in said]
        found |= {f"{name}_{key}": value for key, value in likeness(pairs).items()}
        texts = [u.text for u in said]
        found[f"{name}_wer_recorded"] = word_errors([pair[0] for pair in pairs], texts)
        found[f"{name}_wer"] = word_errors([pair[1] for pair in pairs], texts)
    return {key: round(value, 4) for key, value in found.items()}


@torch.inference_mode()
def resynthesised(both: Both, said: Utterance) -> Floats:
    """A recording through encoder, all codebooks, decoder and vocoder: (N,), float32."""
    mel = LogMel()(torch.from_numpy(padded(said.samples))[None])
    sound: Floats = both.vocoder(both.codec.decode(both.codec.encode(mel)))[0].numpy()
    return sound


def at_16k(samples: Floats) -> Floats:
    """24 kHz -> 16 kHz."""
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(samples, 2, 3), dtype=np.float32)


def likeness(pairs: Sequence[tuple[Floats, Floats]]) -> dict[str, float]:
    """Mean STOI and PESQ of (recorded, made) pairs at 16 kHz."""
    from pesq import pesq
    from pystoi import stoi

    return {
        "stoi": float(np.mean([stoi(a, b, SPEECH_RATE_HZ) for a, b in pairs])),
        "pesq": float(np.mean([pesq(SPEECH_RATE_HZ, a, b, "wb") for a, b in pairs])),
    }


def word_errors(sounds: Sequence[Floats], texts: Sequence[str]) -> float:
    """The word error rate of pocketsphinx over all sentences, 16 kHz."""
    from pocketsphinx import Decoder

    # Narrower than the defaults: random words keep far more hypotheses alive than sentences do.
    decoder: Any = Decoder(
        samprate=SPEECH_RATE_HZ, loglevel="FATAL", ds=2, maxhmmpf=4000, maxwpf=10
    )
    wrong = total = 0
    for sound, text in zip(sounds, texts, strict=True):
        decoder.start_utt()
        decoder.process_raw(pcm(sound), full_utt=True)
        decoder.end_utt()
        heard = decoder.hyp().hypstr.split() if decoder.hyp() else []
        wrong += edits(words(text), heard)
        total += len(words(text))
    return wrong / total


def pcm(sound: Floats) -> bytes:
    """float32 -> PCM16 bytes, with a quarter of a second of faint noise on both sides."""
    noise = np.random.default_rng(0).normal(0, 3e-4, len(sound) + SPEECH_RATE_HZ // 2)
    noise[SPEECH_RATE_HZ // 4 :][: len(sound)] += sound
    return (np.clip(noise, -1, 1) * 32767).astype("<i2").tobytes()


def edits(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """The least number of words inserted, left out or replaced (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(wanted, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            best = min(diagonal + (word != other), row[j] + 1, row[j - 1] + 1)
            diagonal, row[j] = row[j], best
    return row[-1]
