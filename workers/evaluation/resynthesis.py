"""Compares the assistant's voice after codec and vocoder, streamed, with its own recordings."""

import random
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch

from shared.audio import SAMPLE_RATE_HZ, Floats
from workers.evaluation.conditions import SEED
from workers.evaluation.figures import Measures
from workers.evaluation.progress_bar import ProgressBar
from workers.models.mel import LogMel
from workers.models.voice.voice import Voice
from workers.training.questions.catalogue import words
from workers.training.questions.lexicon import ordinary_words
from workers.training.questions.listener_texts import random_string
from workers.training.speech.assistant import Utterance, synthesise
from workers.training.speech.clips import padded
from workers.training.speech.speech_quality import at_16k, likeness, word_error_rate

BROAD: Final = 0.1  # share of random word strings among the sentences: dictating them takes long


def sentences(replies: Sequence[str], count: int) -> list[str]:
    """Replies of every family, and some strings of random words."""
    rng = random.Random(SEED)
    broad = round(BROAD * count)
    strings = [random_string(rng, ordinary_words()[:4_000], 4, 9) for _ in range(broad)]
    return rng.sample(sorted(set(replies)), min(count - broad, len(set(replies)))) + strings


def measure(voice: Voice, texts: Sequence[str], progress: ProgressBar) -> Measures:
    """STOI, wide-band PESQ, and word errors of free dictation, recorded and resynthesised."""
    progress.say("voice")
    recorded, coded = [], []
    said = synthesise(texts)
    for utterance in said:
        recorded.append(at_16k(padded(utterance.samples)))
        coded.append(at_16k(resynthesised(voice, utterance)))
    found = likeness(list(zip(recorded, coded, strict=True)))
    progress.add(len(said))
    spoken = [" ".join(words(utterance.text)) for utterance in said]
    return {
        "sentences": len(said),
        "seconds": round(sum(len(u.samples) for u in said) / SAMPLE_RATE_HZ, 1),
        "codebooks": voice.codec.config.codebooks,
        "stoi": round(found["stoi"], 4),
        "pesq": round(found["pesq"], 3),
        "word_errors_recorded": round(word_error_rate(recorded, spoken), 4),
        "word_errors": round(word_error_rate(coded, spoken), 4),
        "delay_ms": round(1000 * voice.delay_samples / SAMPLE_RATE_HZ),
    }


@torch.inference_mode()
def resynthesised(voice: Voice, said: Utterance) -> Floats:
    """A recording through all codebooks, streamed step by step as in service: (N,), float32."""
    sound = padded(said.samples)
    codes = voice.codec.encode(LogMel()(torch.from_numpy(sound)[None]))  # (1, T, Q)
    row = torch.tensor([0])
    voice.reset(row)
    parts = [voice.step(codes[:, step], row)[0] for step in range(codes.shape[1])]
    parts.append(voice.flush(row)[0])
    late = torch.cat(parts).numpy()[voice.delay_samples :][: len(sound)]
    return np.asarray(late, dtype=np.float32)
