"""One conversation of the corpus, and the JSON line that stores it."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the caller says and what Antiphon answers."""

    caller: str
    answer: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Exchanges in order, with the topic under which the corpus counts them."""

    topic: str
    exchanges: tuple[Exchange, ...]

    def json_line(self) -> str:
        turns = [[exchange.caller, exchange.answer] for exchange in self.exchanges]
        return json.dumps({"topic": self.topic, "turns": turns}, ensure_ascii=False)

    @property
    def opening(self) -> str:
        """The first caller text without case and end marks: two singles must not share one."""
        return self.exchanges[0].caller.lower().strip(" ?.!")


def single(topic: str, caller: str, answer: str) -> Conversation:
    return Conversation(topic, (Exchange(caller, answer),))


def several(topic: str, *turns: tuple[str, str]) -> Conversation:
    return Conversation(topic, tuple(Exchange(caller, answer) for caller, answer in turns))
