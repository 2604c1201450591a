"""The caller's words, learned half way up the language model beside the replies.

A reply is a late and thin lesson about what was asked: from it alone the model took 400 askings of
"are you a machine?" for other questions of that length. So the lower half of its blocks is also
taught, by CTC, which words it hears. In service they are the caller's transcript.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from workers.models.s2s import HybridS2S, Inputs
from workers.models.tokenizer.spelling import BLANK
from workers.training.questions.caller_texts import PHRASES
from workers.training.questions.catalogue import FAMILIES_IN, Split, questions, words
from workers.training.samples.sequences import SampleBatch
from workers.training.speech.ctc import ctc_loss


class CallerVocabulary:
    """Numbers, from 1, of the words that callers are trained to say.

    Of the questions of some families (() all), of second questions, and of what is said around.
    """

    def __init__(self, families: Sequence[str] = ()) -> None:
        texts = [
            question.text
            for language in FAMILIES_IN
            for question in questions(Split.TRAIN, language)
            if not families or question.family in families
        ]
        for manner in PHRASES.values():
            texts += [*manner.leads, *manner.hesitations, *manner.around, *manner.follow_up_texts()]
        known = sorted({word for text in texts for word in words(text)})
        self.words = tuple(known)
        self._number = {word: number for number, word in enumerate(known, start=BLANK + 1)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: str) -> list[int]:
        """The numbers of the words it knows; of others nothing is to be learned but silence."""
        return [self._number[word] for word in words(text) if word in self._number]


def _listening(batch: SampleBatch) -> Tensor:
    """The positions of each row that listen, in order and padded with others, (B, U)."""
    order = batch.listens.int().argsort(dim=1, descending=True, stable=True)
    return order[:, : int(batch.listens.sum(1).max())]


def _taken(x: Tensor, places: Tensor) -> Tensor:
    """(B, T, ...) at places (B, U) -> (B, U, ...)."""
    return x[torch.arange(len(places), device=x.device)[:, None], places]


def loss(model: HybridS2S, layers: Sequence[Tensor], batch: SampleBatch) -> Tensor:
    """Nats a word; `layers` are the model's states of this batch, each (B, T, D)."""
    return _nats(model, _taken(layers[model.config.middle], _listening(batch)), batch)


def loss_alone(model: HybridS2S, batch: SampleBatch) -> Tensor:
    """As `loss`, of the lower blocks alone, without replies between: a third of the cost."""
    places, given = _listening(batch), batch.inputs
    parts = (given.heard, given.hears, given.text, given.codes)
    heard = model.embed(Inputs(*(_taken(part, places) for part in parts)))
    return _nats(model, model.temporal.layered(heard, model.config.middle + 1)[-1], batch)


def _nats(model: HybridS2S, middle: Tensor, batch: SampleBatch) -> Tensor:
    """Of what the lower half makes of the positions that listen, (B, U, D)."""
    is_word = batch.asked > BLANK
    logits = model.caller_logits(middle).float()
    return ctc_loss(logits, batch.listens.sum(1), batch.asked[is_word], is_word.sum(1))
