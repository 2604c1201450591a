"""Asks a tuned model the conversations that were held out from training, all at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from workers.models.llama.model import LlamaModel
from workers.models.llama.sampling import Draw, Sampling, choose
from workers.models.llama.source import Source
from workers.training.talk_tuning.conversations import Conversation
from workers.training.talk_tuning.corpus import SYSTEM_TEXT

CAPACITY: Final = 640
LONGEST: Final = 60  # tokens of a reply


@dataclass(frozen=True, slots=True)
class Answer:
    """A question, the corpus's answer and the model's answer."""

    asked: str
    wanted: str
    got: str


def answers(
    source: Source, asked: Sequence[Conversation], sampling: Sampling, precision: str = "int8"
) -> Iterator[Answer]:
    """The model's reply to the last turn of each conversation, the others being its past."""
    chat = source.chat
    model = LlamaModel(source, slots=len(asked), capacity=CAPACITY, precision=precision)
    model.share(chat.system(SYSTEM_TEXT))
    for row, one in enumerate(asked):
        model.reset(row)
        model.extend([row], [_past(source, one)])
    said = _replies(model, [chat.assistant_start()] * len(asked), sampling)
    for one, tokens in zip(asked, said, strict=True):
        before = " | ".join(f"{caller} -> {reply}" for caller, reply in one.turns[:-1])
        words, wanted = one.turns[-1]
        yield Answer(
            f"[{before}] {words}" if before else words, wanted, source.tokenizer.decode(tokens)
        )


def _past(source: Source, one: Conversation) -> list[int]:
    chat, found = source.chat, list[int]()
    for caller, reply in one.turns[:-1]:
        found += chat.user(caller) + chat.assistant_start()
        found += source.tokenizer.encode(reply) + chat.assistant_end()
    return found + chat.user(one.turns[-1][0])


def _replies(
    model: LlamaModel, begin: Sequence[Sequence[int]], sampling: Sampling
) -> list[list[int]]:
    said: list[list[int]] = [[] for _ in begin]
    live = list(range(len(begin)))
    logits = model.extend(live, begin)
    for number in range(LONGEST):
        drawn = [
            choose(logits[at], said[row], sampling, Draw(row, 0, number))
            for at, row in enumerate(live)
        ]
        live = [
            row for row, token in zip(live, drawn, strict=True) if token not in model.chat.stops
        ]
        drawn = [token for token in drawn if token not in model.chat.stops]
        for row, token in zip(live, drawn, strict=True):
            said[row].append(token)
        if not live:
            break
        logits = model.extend(live, [[token] for token in drawn])
    return said
