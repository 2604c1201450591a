"""A session as three lists: the answers that the log must give, and what it must hold."""

from dataclasses import dataclass, field
from typing import Final

from shared.log.meta import MAX_STRIKES, TRIAL_STEPS
from shared.log.records import Audio, InputRecord, OutputRecord, StepRecord
from shared.log.writes import Answer, Receipt, StepCommit

BACKLOG: Final = 6


@dataclass
class Model:
    """Three lists: record 1 of a stream is item 0, even if the stream was trimmed."""

    conn: str
    owner: str = ""
    cursor: int = 0
    trial: int = 0
    strikes: int = 0
    inputs: list[InputRecord] = field(default_factory=list)
    steps: list[StepRecord] = field(default_factory=list)
    outputs: list[OutputRecord] = field(default_factory=list)
    kept: tuple[int, int, int] = (1, 1, 1)  # the oldest number that no trim has removed

    def append(self, conn: str, first: int, records: list[InputRecord]) -> Receipt:
        """Store what the log must store; the answer that it must give."""
        last = len(self.inputs)
        if conn != self.conn:
            return Receipt(Answer.FENCED, last)
        if first > last + 1:
            return Receipt(Answer.GAP, last)
        answer = Answer.DUPLICATE
        for record in records[last + 1 - first :]:
            if len(self.inputs) - self.cursor >= BACKLOG and isinstance(record, Audio):
                answer = Answer.BUSY
                break
            self.inputs.append(record)
            answer = Answer.STORED
        return Receipt(answer, len(self.inputs))

    def strike(self, first: int) -> Answer:
        """Count a death or a failure; `first` is the count after one outside a trial."""
        k = len(self.steps)
        self.strikes = self.strikes + 1 if k < self.trial else first
        self.trial = k + TRIAL_STEPS
        return Answer.POISONED if self.strikes >= MAX_STRIKES else Answer.STORED

    def commit(self, wish: StepCommit) -> Receipt:
        """Store what the log must store; the answer that it must give."""
        k, m = len(self.steps), len(self.outputs)
        if wish.owner != self.owner:
            return Receipt(Answer.FENCED, k)
        if wish.first_step + len(wish.steps) - 1 <= k:
            return Receipt(Answer.DUPLICATE, k)
        if (wish.first_step, wish.first_output) != (k + 1, m + 1) or wish.cursor < self.cursor:
            return Receipt(Answer.GAP, k)
        self.steps += wish.steps
        self.outputs += wish.outputs
        self.cursor = wish.cursor
        # Every eighth step and a stream's first record also trim streams that were not written.
        eighth = k == 0 or m == 0 < len(self.outputs) or len(self.steps) // 8 > k // 8
        inputs, steps, outputs = self.kept
        if eighth:
            inputs = max(inputs, min(wish.keep_inputs, len(self.inputs) + 1))
        steps = max(steps, min(wish.keep_steps, len(self.steps) + 1))
        if eighth or wish.outputs:
            outputs = max(outputs, min(wish.keep_outputs, len(self.outputs) + 1))
        self.kept = inputs, steps, outputs
        return Receipt(Answer.STORED, len(self.steps))
