"""Batches of caller utterances for the listener: padded mels and CTC targets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workers.training.questions.listener_texts import characters, phones
from workers.training.speech.augment import SILENCE
from workers.training.speech.callers import CallerUtterance
from workers.training.speech.ctc import targets


@dataclass(frozen=True, slots=True)
class ListenerBatch:
    """Padded mels (B, F, 80), and the CTC targets of all rows, end to end."""

    mels: Tensor
    lengths: Tensor  # (B,) frames
    phones: Tensor
    phone_counts: Tensor  # (B,)
    characters: Tensor
    character_counts: Tensor  # (B,)


def split_by_length(
    utterances: Sequence[CallerUtterance], frames: int
) -> Iterator[list[CallerUtterance]]:
    """Runs of utterances, sorted by length, that fill `frames` when padded to their longest."""
    part: list[CallerUtterance] = []
    for one in sorted(utterances, key=lambda one: len(one.mels)):
        if part and (len(part) + 1) * len(one.mels) > frames:
            yield part
            part = []
        part.append(one)
    if part:
        yield part


def collate(
    utterances: Sequence[CallerUtterance], before: Sequence[int], after: Sequence[int]
) -> ListenerBatch:
    """Pad the utterances with their own silence before and after, and to one length."""
    lengths = [b + len(one.mels) + a for one, b, a in zip(utterances, before, after, strict=True)]
    mels = torch.full((len(utterances), max(lengths), utterances[0].mels.shape[1]), SILENCE)
    for row, (one, start) in enumerate(zip(utterances, before, strict=True)):
        mels[row, start : start + len(one.mels)] = torch.from_numpy(one.mels.astype("float32"))
    texts = [one.text for one in utterances]
    said, spelled = targets(texts, phones), targets(texts, characters)
    return ListenerBatch(mels, torch.tensor(lengths), *said, *spelled)
