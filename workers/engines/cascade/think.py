"""Generates replies with a language model: a transcript in, the reply's text out, in pieces.

`LocalThinker` runs a language model over one batch of rows, a row for each slot. `Thinker` is what
the engine asks of it or of a remote endpoint (`remote.py`).
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from shared.telemetry import timed
from workers.engines.cascade.care import careful_answer
from workers.engines.cascade.exact import exact_answer, likely
from workers.engines.cascade.exact.ellipsis import whole_question
from workers.engines.cascade.exact.repeated import repeated
from workers.engines.cascade.exact.replies import forced
from workers.engines.cascade.limits import limits_answer
from workers.engines.cascade.memory import RememberedTurn
from workers.engines.cascade.parts import LanguageModel, Logits, TurnTranscript
from workers.models.llama.chat import Chat
from workers.models.llama.sampling import Draw, Sampling, choose

SYSTEM: Final = (
    "You are Antiphon, a friendly voice assistant. Answer in one or two short spoken sentences."
)
MAX_REPLY_TOKENS: Final = 120  # about 35 s of speech; then the reply ends
TURN_TOKENS: Final = 640  # room for the present turn and its reply
MAX_TURN_TOKENS: Final = 480  # of the turn: of longer ones the model reads the end
# A transcript of less than this mean log probability is chosen among the five likeliest. Of 108
# utterances by other voices the word errors fell from 19.4 to 14.7 %, at 10 dB from 35 to 31 %.
DOUBTED: Final = -0.25
# Of less than this, a text from which an answer can be computed goes before all others.
UNSURE: Final = -0.1
# The language model does not judge texts that are less likely by more than this. They changed no
# word error rate of 90 doubtful utterances, and they were a fifth of the work.
NEAR: Final = 0.15
LANGUAGE: Final = 0.35  # the weight of the language model's mean log probability
READ_TOKENS: Final = 64  # of one row in one piece: a token takes some 5 ms on one core
READ_ROWS_TOKENS: Final = 128  # of all rows in one piece
# The same where nobody waits for it: a turn that ends meanwhile waits for the piece. Pieces of 24
# tokens take a tenth more time a token than pieces of 64.
AHEAD_TOKENS: Final = 24


class Prompt(NamedTuple):
    """The context of a turn, before the caller's words."""

    seed: int
    instructions: str = ""  # the caller's own system prompt; "": ours
    earlier: tuple[RememberedTurn, ...] = ()


class Delta(NamedTuple):
    """The growth of a reply since the last `take`."""

    tokens: tuple[int, ...] = ()
    text: str = ""
    complete: bool = False


class Thinker(Protocol):
    """Replies for a batch of slots. No slot's reply depends on its neighbours."""

    def open(self, slot: int, prompt: Prompt) -> None:
        """Begin a turn with its context, without the caller's words."""

    def likeliest(self, transcript: TurnTranscript) -> str:
        """The likeliest of a turn's texts, by hearing and by language."""

    def ask(self, slot: int, transcript: str) -> None:
        """Answer the caller's words. Drops an unfinished answer to other words."""

    def resume(self, slot: int, transcript: str, tokens: Sequence[int], text: str) -> None:
        """Go on with a reply that another worker began, from its logged tokens and text."""

    def finished(self, slot: int) -> float | None:
        """The probability that the turn is over after its words; None if it is not known."""

    def think(self, slots: Collection[int]) -> None:
        """Run one round: the reply of each slot that can answer grows by a token or more."""

    def read(self, until: float, slots: Collection[int] | None = None) -> bool:
        """Read more of what these slots (None: all) must read. Returns whether anything is left.

        Nothing is sampled. `until`: of `time.perf_counter`; at least one piece is read.
        """

    def pending(self, slot: int) -> int:
        """The number of tokens written and not yet taken."""

    def take(self, slot: int) -> Delta:
        """The reply's growth since the last call."""

    def close(self, slot: int) -> None:
        """Clear the slot."""


@dataclass(slots=True)
class _Row:
    """One slot's row of the model."""

    seed: int
    held: list[int] = field(default_factory=list)  # the tokens of the keys and values in the row
    before: list[int] = field(default_factory=list)  # the context before the turn
    earlier: tuple[str, ...] = ()  # the caller's turns before
    replied: str = ""  # to the last of them
    instructed: bool = False  # by the caller's own system prompt
    wanted: list[int] = field(default_factory=list)  # what the row is to hold before it replies
    judge_at: int = 0  # held tokens after which the turn's end is judged; 0: it is not
    finished: float | None = None
    logits: Logits | None = None  # after the last token held, shape (vocabulary,)
    reply: list[int] = field(default_factory=list)
    computed: list[int] | None = None  # the reply, if it is computed
    asked: bool = False
    complete: bool = False
    taken: int = 0  # tokens of the reply that `take` returned
    written: int = 0  # characters of its text that `take` returned

    @property
    def unread(self) -> int:
        """Tokens that the model must read before it can answer."""
        return len(self.wanted) - len(self.held)


class LocalThinker:
    """A language model on this machine."""

    def __init__(
        self,
        model: LanguageModel,
        chat: Chat,
        sampling: Sampling | None = None,
        *,
        small: bool = True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._model = model
        self._chat = chat
        self._sampling = sampling or Sampling()
        self._small = small  # English sums and grave turns are not left to the model
        self._clock = clock
        self._rows: dict[int, _Row] = {}
        self._shared = self._chat.system(SYSTEM)
        model.share(self._shared)

    # Turns.

    def open(self, slot: int, prompt: Prompt) -> None:
        """See `Thinker`. The row keeps what it holds of the new context's beginning."""
        before = self._context(prompt)
        row = self._rows.get(slot)
        held = row.held if row else []
        same = _common(held, before)
        shared = len(self._shared)
        if same < shared and before[:shared] == self._shared:
            self._model.reset(slot)
            held, same = self._shared, shared
        elif row is None:
            self._model.reset(slot, shared=False)
        self._model.cut(slot, same)
        earlier = tuple(turn.caller for turn in prompt.earlier)
        self._rows[slot] = _Row(
            prompt.seed,
            held[:same],
            before,
            earlier=earlier,
            replied=prompt.earlier[-1].assistant if prompt.earlier else "",
            instructed=bool(prompt.instructions),
            wanted=list(before),
        )

    @timed("choose")
    def likeliest(self, transcript: TurnTranscript) -> str:
        """See `Thinker`. Clear speech is not doubted."""
        if not self._small or not transcript.text or transcript.log_prob > UNSURE:
            return transcript.text
        found = likely([transcript.text, *(text for text, _ in transcript.others)])
        if found or not transcript.others or transcript.log_prob > DOUBTED:
            return found or transcript.text
        near = transcript.log_prob - NEAR
        others = [(text, heard) for text, heard in transcript.others if heard >= near]
        texts = [(transcript.text, transcript.log_prob), *others]
        start = self._chat.user_start()
        turns = [self._chat.user(text)[len(start) :] for text, _ in texts]
        language = self._model.likelihoods(start, turns)
        heard = [log_prob for _, log_prob in texts]
        scores = [a + LANGUAGE * b for a, b in zip(heard, language, strict=True)]
        return texts[scores.index(max(scores))][0]

    def ask(self, slot: int, transcript: str) -> None:
        """See `Thinker`."""
        self._want(slot, transcript)

    def resume(self, slot: int, transcript: str, tokens: Sequence[int], text: str) -> None:
        """See `Thinker`."""
        row = self._want(slot, transcript)
        row.judge_at = 0
        row.reply = list(tokens)
        row.wanted += row.reply
        row.taken, row.written = len(tokens), len(text)

    def _want(self, slot: int, transcript: str) -> _Row:
        row = self._rows[slot]
        transcript = self._clipped(transcript)
        fixed = self._fixed_answer(transcript, row)
        if self._small and not fixed:  # it takes "And a dog?" for a question about dogs in general
            transcript = whole_question(transcript, row.earlier) or transcript
        words = transcript.rstrip(" .?!")
        start = [*row.before, *self._chat.user_start()]
        bare = start + self._model.tokenizer.encode(words)
        turn = [*row.before, *self._chat.user(transcript), *self._chat.assistant_start()]
        same = _common(row.held, turn)
        self._model.cut(slot, same)
        del row.held[same:]
        row.wanted, row.logits = turn, None
        row.reply, row.complete, row.asked = [], False, True
        row.computed = self._model.tokenizer.encode(fixed) if fixed else None
        row.taken = row.written = 0
        if turn[: len(bare)] == bare and same < len(bare):
            row.judge_at, row.finished = len(bare), None
        return row

    def _clipped(self, transcript: str) -> str:
        """The transcript, or its last MAX_TURN_TOKENS tokens, from a whole word on."""
        tokens = self._model.tokenizer.encode(transcript)
        if len(tokens) <= MAX_TURN_TOKENS:
            return transcript
        end = self._model.tokenizer.decode(tokens[-MAX_TURN_TOKENS:])
        return end.partition(" ")[2] or end

    def _fixed_answer(self, transcript: str, row: _Row) -> str:
        """The answer where a small model must not give its own; "" where it may."""
        if not self._small:
            return ""
        last = row.earlier[-1] if row.earlier else ""
        found = (
            careful_answer(transcript)
            or repeated(transcript, last, row.replied)
            or exact_answer(transcript, row.earlier)
        )
        return found or ("" if row.instructed else limits_answer(transcript))

    def _context(self, prompt: Prompt) -> list[int]:
        """The system prompt and the earlier turns, without the oldest if there is no room."""
        system = self._chat.system(prompt.instructions) if prompt.instructions else self._shared
        turns = [self._turn(exchange) for exchange in prompt.earlier]
        room = self._model.capacity - len(system) - TURN_TOKENS
        while turns and sum(map(len, turns)) > room:
            del turns[0]
        return [*system, *(token for turn in turns for token in turn)]

    def _turn(self, exchange: RememberedTurn) -> list[int]:
        encode = self._model.tokenizer.encode
        tokens = self._chat.user(exchange.caller)
        if exchange.assistant:
            tokens += self._chat.assistant_start() + encode(exchange.assistant)
            tokens += self._chat.assistant_end()
        return tokens

    def close(self, slot: int) -> None:
        """See `Thinker`."""
        self._rows.pop(slot, None)

    def pending(self, slot: int) -> int:
        """See `Thinker`."""
        row = self._rows[slot]
        return len(row.reply) - row.taken

    def finished(self, slot: int) -> float | None:
        """See `Thinker`."""
        row = self._rows.get(slot)
        return row.finished if row else None

    # Reading and writing.

    @timed("read")
    def read(self, until: float, slots: Collection[int] | None = None) -> bool:
        """See `Thinker`. Reads the shortest first, so that most callers get answers soon."""
        rows = {slot: row for slot, row in self._rows.items() if slots is None or slot in slots}
        most = READ_ROWS_TOKENS if slots is not None else AHEAD_TOKENS
        while pieces := self._pieces(rows, most):
            self._extend(pieces)
            if self._clock() >= until:
                break
        return any(row.unread for row in rows.values())

    def _pieces(self, rows: Mapping[int, _Row], left: int) -> dict[int, list[int]]:
        """At most `left` tokens to read next, by slot."""
        pieces: dict[int, list[int]] = {}
        for slot, row in sorted(rows.items(), key=lambda pair: pair[1].unread):
            if piece := self._piece(row)[:left]:
                pieces[slot] = piece
                left -= len(piece)
        return pieces

    def _piece(self, row: _Row) -> list[int]:
        """The next tokens to read."""
        at = len(row.held)
        return row.wanted[at : at + READ_TOKENS]

    def _extend(self, pieces: dict[int, list[int]]) -> None:
        judged = {}  # the rows whose turn's end is judged, and after how many of their tokens
        for slot, piece in pieces.items():
            row = self._rows[slot]
            if 0 < (count := row.judge_at - len(row.held)) <= len(piece):
                judged[slot] = count
        order = list(pieces)
        also = [(order.index(slot), count) for slot, count in judged.items()]
        logits = self._model.extend(order, list(pieces.values()), also)
        for (slot, piece), after in zip(pieces.items(), logits, strict=False):
            self._rows[slot].held += piece
            self._rows[slot].logits = after
        for slot, after in zip(judged, logits[len(order) :], strict=True):
            self._rows[slot].finished = self._chat.ended(after)

    @timed("think")
    def think(self, slots: Collection[int]) -> None:
        """See `Thinker`. A round samples one token of each slot that can answer."""
        for slot in slots:
            self._write_computed(slot)
        tokens = {slot: self._sample(slot) for slot in slots if self._can_write(slot)}
        pieces = {slot: [token] for slot, token in tokens.items() if token is not None}
        if pieces:
            self._extend(pieces)

    def _write_computed(self, slot: int) -> None:
        """A computed reply is written at once; the model reads it with the next turn."""
        row = self._rows.get(slot)
        if row is not None and row.computed is not None and not row.complete:
            row.reply, row.complete = [*row.computed], True

    def _can_write(self, slot: int) -> bool:
        row = self._rows.get(slot)
        if row is None or not row.asked or row.complete or row.logits is None:
            return False
        return row.unread <= 0

    def _sample(self, slot: int) -> int | None:
        """The row's next token; None if the reply has ended."""
        row = self._rows[slot]
        if row.logits is None:
            return None
        token = self._next(row, row.logits)
        if token in self._chat.stops or len(row.reply) >= MAX_REPLY_TOKENS:
            row.complete = True
            return None
        row.reply.append(token)
        row.wanted.append(token)
        return token

    def _next(self, row: _Row, logits: Logits) -> int:
        """A drawn token, or the next one of an equation's result. Follows from the reply so far."""
        tokenizer = self._model.tokenizer
        if self._small and (rest := forced(tokenizer.decode(row.reply))):
            return tokenizer.encode(rest)[0]
        draw = Draw(row.seed, 0, len(row.reply))  # the seed is the turn's own
        return choose(logits, row.reply, self._sampling, draw)

    def take(self, slot: int) -> Delta:
        """See `Thinker`. A character with incomplete bytes waits for its next token."""
        row = self._rows[slot]
        text = self._model.tokenizer.decode(row.reply)
        if not row.complete and text.endswith("\N{REPLACEMENT CHARACTER}"):
            return Delta()
        delta = Delta(tuple(row.reply[row.taken :]), text[row.written :], row.complete)
        row.taken, row.written = len(row.reply), len(text)
        return delta


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """The length of the common prefix."""
    count = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        count += 1
    return count
