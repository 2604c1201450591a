"""Trains the lower half of the language model to recognise the caller's words, with the replies.

A reply says little, and late, about the question. With replies as the only target the model took
400 repetitions of "are you a machine?" for other questions of that length. So CTC also teaches the
lower half of its blocks which words the caller says. In service these words are the transcript.

Letters: B rows, T positions, U positions that listen, D width of the model.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, Inputs
from workers.models.tokenizer.spelling import BLANK
from workers.training.questions.caller_texts import PHRASES
from workers.training.questions.catalogue import FAMILIES_IN, Split, questions, words
from workers.training.samples.sequences import SampleBatch
from workers.training.speech.ctc import ctc_loss


class CallerVocabulary:
    """Numbers, from 1, of the words that callers are trained to say.

    They are the words of the questions of some families (empty: all), of follow-ups, and of the
    phrases around questions.
    """

    def __init__(self, families: Sequence[str] = ()) -> None:
        texts = [
            question.text
            for language in FAMILIES_IN
            for question in questions(Split.TRAIN, language)
            if not families or question.family in families
        ]
        for phrases in PHRASES.values():
            texts += [*phrases.leads, *phrases.hesitations, *phrases.around]
            texts += phrases.follow_up_texts()
        known = sorted({word for text in texts for word in words(text)})
        self.words = tuple(known)
        self._number = {word: number for number, word in enumerate(known, start=BLANK + 1)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: str) -> list[int]:
        """The numbers of the known words; unknown words are left out."""
        return [self._number[word] for word in words(text) if word in self._number]


def _listening(batch: SampleBatch) -> Tensor:
    """The listening positions of each row, in order and padded with others, (B, U)."""
    order = batch.listens.int().argsort(dim=1, descending=True, stable=True)
    return order[:, : int(batch.listens.sum(1).max())]


def _at(x: Tensor, positions: Tensor) -> Tensor:
    """(B, T, ...) at positions (B, U) -> (B, U, ...)."""
    return x[torch.arange(len(positions), device=x.device)[:, None], positions]


def loss(model: HybridS2S, layers: Sequence[Tensor], batch: SampleBatch) -> Tensor:
    """Nats a word; `layers` are the model's activations of this batch, each (B, T, D)."""
    return _nats(model, _at(layers[model.config.middle], _listening(batch)), batch)


def loss_alone(model: HybridS2S, batch: SampleBatch) -> Tensor:
    """As `loss`, from the lower blocks at the listening positions alone: a third of the cost."""
    positions, given = _listening(batch), batch.inputs
    parts = (given.heard, given.hears, given.text, given.codes)
    embedded = model.embed(Inputs(*(_at(part, positions) for part in parts)))
    return _nats(model, model.temporal.layered(embedded, model.config.middle + 1)[-1], batch)


def _nats(model: HybridS2S, middle: Tensor, batch: SampleBatch) -> Tensor:
    """Nats a word, from the lower half's output at the listening positions (B, U, D)."""
    is_word = batch.caller_words > BLANK
    logits = model.caller_logits(middle).float()
    counts = is_word.sum(1)
    return ctc_loss(logits, batch.listens.sum(1), batch.caller_words[is_word], counts)
