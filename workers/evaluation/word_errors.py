"""Errors of the listener's letters on callers, as they are and through a codec.

Its character CTC head is decoded greedily, without a dictionary or a language model: single letters
are wrong more often than the meaning is lost.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from shared.audio import SAMPLE_RATE_HZ, Floats, floats_from_pcm16
from workers.evaluation.conditions import CallScript
from workers.evaluation.figures import Measures, error_rate
from workers.models.mel import LogMel
from workers.models.tokenizer.codec import SpeechCodec
from workers.models.tokenizer.listener import Listener
from workers.training.questions.catalogue import words
from workers.training.questions.listener_texts import CHARACTERS
from workers.training.speech.augment import SILENCE, whole_steps
from workers.training.speech.callers import UNSEEN_FESTIVAL, UNSEEN_FLITE
from workers.training.speech.ctc import best_path
from workers.training.speech.tts import SpeechJob, TtsVoice, speak

BATCH: Final = 16
BEFORE_S: Final = 0.4
AFTER_S: Final = 0.6
CODEBOOKS: Final = (1, 2, 4, 8)
UNSEEN_ENGINES: Final[dict[str, TtsVoice]] = {
    "flite rms": UNSEEN_FLITE[0],
    "festival ked": UNSEEN_FESTIVAL[0],
    "festival kal": UNSEEN_FESTIVAL[1],
}


def mels_of(asked: CallScript) -> Tensor:
    """The log-mels (F, M) of a call's last question at the microphone."""
    edges = (round(BEFORE_S * SAMPLE_RATE_HZ), round(AFTER_S * SAMPLE_RATE_HZ))
    sound = np.pad(floats_from_pcm16(asked.said[-1]), edges)
    if asked.background is not None:
        sound = sound + np.resize(floats_from_pcm16(asked.background), len(sound))
    return _log_mels(sound)


def _log_mels(sound: Floats) -> Tensor:
    mels: Tensor = LogMel()(torch.from_numpy(sound)[None])[0]
    return mels


@torch.inference_mode()
def spelled(listener: Listener, mels: Sequence[Tensor]) -> list[str]:
    """The letters that the listener recognises in each of these log-mels (F, M)."""
    found = [""] * len(mels)
    for part in _by_length([len(mel) for mel in mels]):
        batch = pad_sequence([mels[i] for i in part], batch_first=True, padding_value=SILENCE)
        hearing = listener.eval()(whole_steps(batch))
        for place, logits in zip(part, hearing.characters, strict=True):
            frames = (len(mels[place]) + 7) // 8 * listener.config.subframes
            letters = "".join(CHARACTERS[c - 1] for c in best_path(logits, frames))
            found[place] = " ".join(letters.split())
    return found


def _by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return (order[at : at + BATCH] for at in range(0, len(order), BATCH))


def errors(wanted: Sequence[str], recognised: Sequence[str]) -> Measures:
    """Character and word error rates of the recognised texts."""
    pairs = [(" ".join(words(a)), b) for a, b in zip(wanted, recognised, strict=True)]
    return {
        "utterances": len(pairs),
        "characters": error_rate(pairs, list),
        "words": error_rate(pairs, str.split),
    }


@torch.inference_mode()
def through_codec(listener: Listener, codec: SpeechCodec, texts: Sequence[str]) -> Measures:
    """Character error rates of callers by engine and number of codebooks; 0: without the codec.

    The service codes no caller: the codec is the assistant's, and the listener gets the audio
    itself.
    """
    found: Measures = {}
    for name, voice in UNSEEN_ENGINES.items():
        sounds = speak([SpeechJob(voice, text) for text in texts])
        mels = [whole_steps(_log_mels(sound)[None])[0] for sound in sounds]
        rates = {"0": errors(texts, spelled(listener, mels))["characters"]}
        codes = [codec.encode(mel[None]) for mel in mels]
        for count in CODEBOOKS:
            if count <= codec.config.codebooks:
                decoded = [codec.decode(code[..., :count])[0] for code in codes]
                rates[str(count)] = errors(texts, spelled(listener, decoded))["characters"]
        found[name] = rates
    return found
