"""Toy parts of the cascade: exact, fast and deterministic."""

from collections.abc import Sequence

import numpy as np

from shared.audio import CHUNK_SAMPLES, Floats, Pcm16
from shared.voices import Offer, Persona
from workers.engines.cascade.parts import Logits, Sound, TurnTranscript
from workers.engines.cascade.script import LOOK_AHEAD

MARKS = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
WORDS = ("", "what", "is", "the", "moon", "made", "of", "tell", "me", "more", "cheese?")
WORD_SAMPLES = 2_500  # of one spoken word: no whole number of frames


def word(number: int) -> Pcm16:
    """A chunk in which the caller says one of WORDS; 0 is silence."""
    return np.full(CHUNK_SAMPLES, number * 1_000, dtype=np.int16)


class ToyHear:
    """Each chunk is one word; the same word twice in a row counts once."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def transcribe(self, turns: Sequence[Floats], *, final: bool = True) -> list[TurnTranscript]:
        self.batches.append(len(turns))
        return [TurnTranscript(self._text(turn), 0.0, 0.0) for turn in turns]

    def _text(self, turn: Floats) -> str:
        levels = np.rint(turn[:: CHUNK_SAMPLES // 4] * 32.768).astype(int)
        kept = [n for at, n in enumerate(levels) if n and (at == 0 or levels[at - 1] != n)]
        return " ".join(WORDS[n] for n in kept)

    def warm_up(self) -> None:
        pass


class ToyTokenizer:
    """One token a character; the marks come first."""

    size = 200

    def id_of(self, name: str) -> int | None:
        return MARKS.index(name) if name in MARKS else None

    def is_control(self, token: int) -> bool:
        return token < len(MARKS)

    def encode(self, text: str) -> list[int]:
        return [len(MARKS) + ord(letter) for letter in text]

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(chr(token - len(MARKS)) for token in tokens if token >= len(MARKS))


class ToyModel:
    """Answers every turn with how many turns there were and the caller's own words."""

    capacity = 4_096

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.tokenizer = ToyTokenizer()
        self.rows: list[list[int]] = [[] for _ in range(slots)]
        self.read = 0  # tokens, of all rows
        self._shared: list[int] = []

    def share(self, tokens: Sequence[int]) -> None:
        self._shared = list(tokens)

    def reset(self, row: int, *, shared: bool = True) -> None:
        self.rows[row] = list(self._shared) if shared else []

    def length(self, row: int) -> int:
        return len(self.rows[row])

    def cut(self, row: int, length: int) -> None:
        assert length <= len(self.rows[row])
        del self.rows[row][length:]

    def likelihoods(self, start: Sequence[int], sequences: Sequence[Sequence[int]]) -> list[float]:
        """The fewer letters o a text has, the likelier it is."""
        return [-float(self.tokenizer.decode(one).count("o")) for one in sequences]

    def extend(
        self,
        rows: Sequence[int],
        tokens: Sequence[Sequence[int]],
        also: Sequence[tuple[int, int]] = (),
    ) -> Logits:
        inner = [[*self.rows[rows[place]], *tokens[place][:count]] for place, count in also]
        for row, more in zip(rows, tokens, strict=True):
            assert more
            self.rows[row] += more
            self.read += len(more)
        return np.stack([self._logits(held) for held in (*(self.rows[r] for r in rows), *inner)])

    def _logits(self, held: Sequence[int]) -> Logits:
        turns = "".join(MARKS[t] if t < len(MARKS) else chr(t - len(MARKS)) for t in held)
        logits = np.zeros(self.tokenizer.size, dtype=np.float32)
        role, _, text = turns.rpartition(MARKS[0])[2].partition("\n")
        if role == "assistant":
            logits[self._next(turns, text)] = 30.0
        elif text.endswith("cheese"):
            logits[self.tokenizer.encode("?")[0]] = 30.0  # the turn sounds finished
        else:
            logits[self.tokenizer.encode(" ")[0]] = 30.0
        return logits

    def _next(self, turns: str, written: str) -> int:
        asked = turns.split(MARKS[0] + "user\n")[1:]
        caller = asked[-1].split(MARKS[1])[0]
        reply = f"Turn {len(asked)}. You said {caller} and that is all."
        if written.startswith(reply):
            return MARKS.index("<|im_end|>")
        return self.tokenizer.encode(reply[len(written)])[0]


class ToyVoice:
    """Each word is a constant. Its value says which word of the sentence it is."""

    offer = Offer()

    def say(self, sentence: str, since: int, *, whole: bool, seed: int, persona: Persona) -> Sound:
        words = sentence.split()
        said = len(words) if whole else len(words) - LOOK_AHEAD
        levels = np.arange(since + 1, said + 1) / 100
        pcm = np.repeat(levels, WORD_SAMPLES).astype(np.float32)
        placed = ((at * WORD_SAMPLES, text) for at, text in enumerate(words[since:said]))
        return Sound(pcm, tuple(placed), said)

    def warm_up(self) -> None:
        pass
