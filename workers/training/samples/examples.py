"""Turns recorded conversations into training examples: a question and its reply.

A reply is a run of the assistant's words without a pause of `PAUSE_S`, at most `MAX_STEPS` long.
Its question is what the caller said since the previous reply, found by the VAD as in service. The
folder's listener encodes it from 400 ms before the onset, in several distorted copies, because one
recording of each question is too few.
"""

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.audio import CHUNK_SAMPLES, FRAME_MS, SAMPLE_RATE_HZ, Floats, pcm16_from_floats
from workers.audio.energy_vad import Vad
from workers.models.mel import LogMel
from workers.models.speech_to_speech.vocabulary import Vocabulary
from workers.models.tokenizer.codec import SpeechCodec
from workers.models.tokenizer.listener import Listener, States
from workers.training.samples.replies import MAX_STEPS, TargetReply, place_tokens
from workers.training.samples.stereo import DataError, StereoRecording, TimedWord
from workers.training.speech.augment import Augmenter, Strength

PAUSE_S: Final = 0.8
BEFORE_S: Final = 0.4  # the runtime's pre-roll
AFTER_STEPS: Final = 12  # steps encoded after the question
LONGEST_S: Final = 12.8  # the longest question that the engine keeps
LEAD_OUT_S: Final = 0.16  # a reply's sound after the end of its last word
HELD_OUT_ONE_IN: Final = 10
COPIES: Final = 6
THRESHOLD: Final = 0.001  # VAD_THRESHOLD
# Tempo, vocal tract, level and noise in the range of one caller on several days.
STRENGTH: Final = Strength(
    warp=(0.95, 1.06), stretch=(0.93, 1.08), gain_db=(-10.0, 6.0), channel_db=3.0, narrow=0.0,
    noise_db=(15.0, 50.0), quiet=0.4, babble=0.0, room=0.15, masks=1, mask_frames=5, mask_bins=5,
)  # fmt: skip

# Why a reply is left out.
UNASKED: Final = "without speech of the caller since the previous reply"
TOO_LONG: Final = (
    f"longer than {MAX_STEPS * 0.08 - LEAD_OUT_S:.1f} s without a pause of {PAUSE_S} s"
)


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """One question and its reply, as recorded; times in seconds of the conversation."""

    name: str
    question: Floats  # (N,) 24 kHz, from BEFORE_S before the onset
    end_s: float  # where speech ends within it
    reply: tuple[TimedWord, ...]
    sound: Floats  # of the reply, from its first word

    @property
    def held_out(self) -> bool:
        """Whether training leaves it out, for judging."""
        return zlib.crc32(self.name.encode()) % HELD_OUT_ONE_IN == 0


@dataclass(frozen=True, slots=True)
class Example:
    """An exchange as the model sees it: one copy of the question, and the reply."""

    states: States  # (T, W)
    end: int  # the first step after the question
    reply: TargetReply


def exchanges(conversation: StereoRecording, left_out: Counter[str]) -> Iterator[RecordedExchange]:
    """The questions and replies of a conversation in order; `left_out` counts the other replies."""
    speech = _speech(conversation.caller)
    free_s = 0.0
    for number, words in enumerate(_runs(conversation.words)):
        start_s, end_s = words[0].start_s, words[-1].end_s
        first, last = int(free_s * 1000) // FRAME_MS, int(start_s * 1000) // FRAME_MS
        spoken = np.flatnonzero(speech[first:last]) + first
        free_s = end_s
        too_long = end_s - start_s > MAX_STEPS * 0.08 - LEAD_OUT_S
        if too_long or not len(spoken):
            left_out[TOO_LONG if too_long else UNASKED] += 1
            continue
        stop_s = (int(spoken[-1]) + 1) * FRAME_MS / 1000
        onset_s = max(int(spoken[0]) * FRAME_MS / 1000 - BEFORE_S, stop_s - LONGEST_S, 0.0)
        after_s = AFTER_STEPS * CHUNK_SAMPLES / SAMPLE_RATE_HZ
        question = _cut(conversation.caller, onset_s, stop_s + after_s)
        sound = _cut(conversation.assistant, start_s, end_s + LEAD_OUT_S)
        name = f"{conversation.name}#{number}"
        yield RecordedExchange(name, question, stop_s - onset_s, words, sound)


def _runs(words: Sequence[TimedWord]) -> Iterator[tuple[TimedWord, ...]]:
    run: list[TimedWord] = []
    for word in words:
        if run and word.start_s - run[-1].end_s > PAUSE_S:
            yield tuple(run)
            run = []
        run.append(word)
    yield tuple(run)


def _speech(caller: Floats) -> NDArray[np.bool_]:
    """Whether each 20 ms frame of the caller's channel is speech."""
    vad = Vad()
    whole = pcm16_from_floats(caller[: len(caller) // CHUNK_SAMPLES * CHUNK_SAMPLES])
    found = [vad.hear(chunk, THRESHOLD) for chunk in whole.reshape(-1, CHUNK_SAMPLES)]
    return np.array(found, dtype=bool).reshape(-1)


def _cut(samples: Floats, start_s: float, end_s: float) -> Floats:
    """A piece of the recording, padded with silence at its end."""
    start, end = round(start_s * SAMPLE_RATE_HZ), round(end_s * SAMPLE_RATE_HZ)
    piece = samples[start:end]
    return np.pad(piece, (0, end - start - len(piece)))


def all_exchanges(
    conversations: Sequence[StereoRecording],
) -> tuple[list[RecordedExchange], Counter[str]]:
    """Every conversation's exchanges, and why replies are left out. Raises DataError if all are."""
    left_out: Counter[str] = Counter()
    found = [one for recording in conversations for one in exchanges(recording, left_out)]
    if not found:
        reasons = ", ".join(f"{count} {why}" for why, count in left_out.items())
        raise DataError(
            "Expected the caller (right channel) to speak before some reply of the assistant "
            f"(left) in {len(conversations)} conversations, got none (replies: {reasons or 0}): "
            "are the channels swapped?"
        )
    return found, left_out


def make_reply(
    exchange: RecordedExchange, codec: SpeechCodec, vocabulary: Vocabulary
) -> TargetReply:
    """The reply's codes by the folder's codec, and its tokens, each where its word begins.

    Raises DataError if there are more tokens than steps.
    """
    steps = -(-len(exchange.sound) // CHUNK_SAMPLES)
    whole = np.pad(exchange.sound, (0, steps * CHUNK_SAMPLES - len(exchange.sound)))
    with torch.no_grad():
        codes = codec.encode(LogMel()(torch.from_numpy(whole)[None]))[0].numpy()
    begin_s = exchange.reply[0].start_s
    starts_s = [word.start_s - begin_s for word in exchange.reply]
    pieces = [vocabulary.encode(word.text) for word in exchange.reply]
    text = " ".join(word.text for word in exchange.reply)
    try:
        tokens = place_tokens(starts_s, pieces, len(codes))
    except ValueError as error:
        raise DataError(
            f"{exchange.name}: Expected a word to take about 80 ms or more, got {text!r} in "
            f"{steps * 0.08:.2f} s: correct its times"
        ) from error
    return TargetReply(text, tokens, codes)


@torch.no_grad()
def encode_question(
    listener: Listener, exchange: RecordedExchange, augment: Augmenter | None
) -> tuple[States, int]:
    """The question's states (T, W) and the first step after it; `augment` distorts the mels."""
    mel = LogMel()(torch.from_numpy(exchange.question)[None])
    end = exchange.end_s * 100  # frames of 10 ms
    if augment is not None:
        before = mel.shape[1]
        mel, lengths = augment(mel, torch.tensor([before]))
        end *= int(lengths[0]) / before
    step = 8
    states: Tensor = listener(mel[:, : mel.shape[1] // step * step]).states[0]
    return states.numpy().astype(np.float16), min(len(states), int(np.ceil(end / step)))


def examples(
    found: Sequence[RecordedExchange],
    listener: Listener,
    codec: SpeechCodec,
    vocabulary: Vocabulary,
    seed: int,
) -> list[Example]:
    """Each exchange undistorted and, unless it is held out, in COPIES distorted copies."""
    augment = Augmenter(STRENGTH, seed)
    made: list[Example] = []
    for exchange in found:
        reply = make_reply(exchange, codec, vocabulary)
        copies = 0 if exchange.held_out else COPIES
        made += [
            Example(*encode_question(listener, exchange, distort), reply)
            for distort in [None, *[augment] * copies]
        ]
    return made
