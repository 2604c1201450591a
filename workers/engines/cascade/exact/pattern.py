"""A small pattern language over tokens, in which the computed answers write their grammar. Pure.

    Pattern("take [away] {b} [away] from {a}", slots)

A bare word matches itself, `one|other` matches either, `[word]` may be absent, and `{name}` matches
what the slot of this name parses. A pattern matches whole turns only: it tries every way.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workers.engines.cascade.exact.tokens import Token

# Parses at a place: yields each value that begins there, with the place after it.
Slot = Callable[[Sequence[Token], int], Iterator[tuple[Any, int]]]
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Item:
    words: frozenset[Token] = frozenset()
    slot: str = ""
    optional: bool = False


class Pattern:
    """One way to ask."""

    def __init__(self, text: str, slots: Mapping[str, Slot]) -> None:
        self._items: Final = [_item(part) for part in text.split()]
        self._slots: Final = slots

    def match(self, tokens: Sequence[Token]) -> Values | None:
        """The slots' values if the pattern covers all tokens, else None."""
        return next(self._matches(tokens, 0, 0), None)

    def _matches(self, tokens: Sequence[Token], at: int, item: int) -> Iterator[Values]:
        if item == len(self._items):
            if at == len(tokens):
                yield {}
            return
        now = self._items[item]
        for values, after in self._one(now, tokens, at):
            for rest in self._matches(tokens, after, item + 1):
                yield values | rest
        if now.optional:
            yield from self._matches(tokens, at, item + 1)

    def _one(self, item: _Item, tokens: Sequence[Token], at: int) -> Iterator[tuple[Values, int]]:
        if item.slot:
            for value, after in self._slots[item.slot](tokens, at):
                yield ({} if value is None else {item.slot: value}), after
        elif at < len(tokens) and tokens[at] in item.words:
            yield {}, at + 1


def _item(part: str) -> _Item:
    optional = part.startswith("[")
    part = part.strip("[]")
    if part.startswith("{"):
        return _Item(slot=part.strip("{}"), optional=optional)
    words = [int(word) if word.isdigit() else word for word in part.split("|")]
    return _Item(frozenset(words), optional=optional)


def words(text: str) -> Slot:
    """A slot of single words that gives no value."""
    return one_of(dict.fromkeys(text.split()))


def one_of(values: Mapping[str, Any]) -> Slot:
    """A slot of single words with values."""

    def parse(tokens: Sequence[Token], at: int) -> Iterator[tuple[Any, int]]:
        if at < len(tokens) and isinstance(word := tokens[at], str) and word in values:
            yield values[word], at + 1

    return parse


def of_type(*kinds: type) -> Slot:
    """A slot of single tokens of these types."""

    def parse(tokens: Sequence[Token], at: int) -> Iterator[tuple[Any, int]]:
        if at < len(tokens) and isinstance(tokens[at], kinds):
            yield tokens[at], at + 1

    return parse


TRAILING: Final = frozenset("please thanks thank you now then antiphon again".split())


@dataclass(frozen=True, slots=True)
class Tool:
    """Patterns over what is left of a turn without words that carry nothing for them."""

    glue: frozenset[Token]
    rules: tuple[tuple[Pattern, Callable[..., str]], ...]
    inside: bool = (
        True  # glue goes inside a turn too; else at its beginning, and TRAILING at its end
    )

    def answer(self, tokens: Sequence[Token]) -> str:
        """The answer to a turn that a pattern covers; "" otherwise."""
        left = self._core(tokens)
        for pattern, answer in self.rules:
            values = pattern.match(left)
            if values is not None:
                return answer(**values)
        return ""

    def _core(self, tokens: Sequence[Token]) -> list[Token]:
        if self.inside:
            return [token for token in tokens if token not in self.glue]
        left = list(tokens)
        while left and left[0] in self.glue:
            del left[0]
        while len(left) > 2 and left[-1] in TRAILING:
            del left[-1]
        return left


def tool(
    glue: str,
    slots: Mapping[str, Slot],
    *rules: tuple[str, Callable[..., str]],
    inside: bool = True,
) -> Tool:
    """A tool from its glue words and its patterns, a line each, which share an answer."""
    made = [
        (Pattern(text, slots), answer)
        for texts, answer in rules
        for text in texts.strip().splitlines()
    ]
    return Tool(frozenset(glue.split()), tuple(made), inside)


# Words around any question: of callers who are polite, hesitate or address the assistant.
ASKING: Final = (
    "what which who how do does did you i we me my it its is are was be will would can could "
    "should please tell say give know like want need if when so um uh uhm hmm well hey hi hello "
    "okay ok then now just quick question sorry excuse antiphon happen wonder wondering mind "
    "telling exactly again thanks thank am any idea help remember forgot remind let us see ask "
    "curious a an the that this there name hear think guess maybe oh actually have has got going "
    "go gonna able must shall try dont cant not figure checking asking asks asked says said son "
    "daughter girl boy kid teacher little homework school another about but idea witch "
    "harder easy hard too"
)
# The same, in words that mean something else on their own.
_PHRASES: Final = frozenset(
    tuple(phrase.split())
    for phrase in "for me,for us,for my,to know,to hear,to me,to ask,to say,to tell,you to,"
    "of course,out for,in your,help with,right now".split(",")
)


_LINKS: Final = ("and", "but", "also", "or")  # before a question
# "I have to add ..."
_VERBS: Final = "add divide multiply subtract take count spell convert write".split()


def without_phrases(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without "for me", "to know" and the like."""
    left: list[Token] = []
    at = 0
    while at < len(tokens):
        if tuple(tokens[at : at + 2]) in _PHRASES:
            at += 2
            continue
        linking = not left and tokens[at] in _LINKS
        before_verb = tokens[at] == "to" and at + 1 < len(tokens) and tokens[at + 1] in _VERBS
        if not linking and not before_verb:
            left.append(tokens[at])
        at += 1
    return left


def without(glue: str, *kept: str) -> str:
    """Glue words without those that a tool needs."""
    return " ".join(word for word in glue.split() if word not in kept)
