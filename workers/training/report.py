"""The evaluation's table: rows, their confidence intervals, and EVALUATION.md."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workers.training.callers import (
    TRAINED_ESPEAK,
    TRAINED_SPANISH,
    UNSEEN_ESPEAK,
    UNSEEN_SPANISH,
)
from workers.training.dialogue import HELD_OUT_ONE_IN, Split, questions
from workers.training.families import Language


def interval(hits: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval of a share."""
    if count == 0:
        return 0.0, 1.0
    z, p = 1.96, hits / count
    middle = (p + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(p * (1 - p) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return middle - half, middle + half


@dataclass(frozen=True, slots=True)
class Row:
    """One condition's result, shares of its calls."""

    name: str
    calls: int
    text: float
    right: float  # text and audio
    low: float  # 95 % interval of `right`
    high: float
    ceiling: float
    reply_seconds: float  # mean
    spent_s: float  # for all calls, one thread

    @classmethod
    def of(cls, name: str, calls: Sequence[Mapping[str, object]], spent_s: float) -> "Row":
        """From the calls' protocol."""
        count = len(calls)
        right = sum(bool(call["text_right"] and call["audio_right"]) for call in calls)
        seconds = [float(str(call["reply_seconds"])) for call in calls]
        return cls(
            name,
            count,
            sum(bool(call["text_right"]) for call in calls) / count,
            right / count,
            *interval(right, count),
            sum(bool(call["original_right"]) for call in calls) / count,
            sum(seconds) / count,
            spent_s,
        )

    def line(self) -> str:
        """The row in Markdown."""
        share = self.right / self.ceiling if self.ceiling else 0.0
        return (
            f"| {self.name} | {self.calls} | {self.text:.0%} | **{self.right:.0%}** "
            f"({self.low:.0%} to {self.high:.0%}) | {self.ceiling:.0%} | {share:.0%} "
            f"| {self.reply_seconds:.1f} |"
        )


HEAD = """# Evaluation of `workers/weights/tiny`

Each row asks spoken questions and listens to the answers: WAV in, WAV out, through the runtime's
VAD, turn logic and guard and the batched engine in this process (no sockets). **Right** means that
the reply's text is the expected one word for word AND that its audio, heard by pocketsphinx as a
forced choice among the {answers} answers likest to it, is that sentence: so every number, day and
name in it. The **ceiling** is the same judge on the original recordings of the same replies.

| asked by | calls | text right | right (95 % interval) | ceiling | of the ceiling | mean reply, s |
|---|---|---|---|---|---|---|
"""

TAIL = """
## What was trained and what was not

- {intents} intents in {families} families were trained, in {phrasings} questions; one combination
  in {one_in} of each compositional family ({combinations} in all) was never trained, in any
  phrasing, with any voice.
- One or more phrasings of each family were never trained (`unseen` in `workers/training`).
- Trained voices: {trained} accent and speaker combinations of espeak-ng, flite kal, kal16, awb and
  slt. Unseen: {unseen} others of espeak-ng (15 speakers, one accent) and flite rms, in no stage of
  training. Never heard as an engine: festival's diphone synthesiser; `ked` is a speaker found
  nowhere in training, `kal` is the speaker of flite's kal.
- The row of combinations asks for sums, products and days that no training question held: the
  numbers are usually heard (the reply says them back), but a model of this size and training knows
  results by heart and does not reckon. (Codec and vocoder have heard the recordings of all
  replies, these too; what is held out is held out of the model that answers.)
- The assistant speaks with one voice, festival's cmu_us_slt_arctic_hts.
- Spanish: {spanish_intents} intents in {spanish_families} families, in {spanish_phrasings} trained
  questions, split as the English ones are (one sum in {one_in}, one or more phrasings of each
  family). Trained voices: {spanish_trained} of espeak-ng (Spain's and Latin America's accents).
  Unseen: {spanish_unseen} others, 14 speakers that no stage of training heard in any language.
  `ked` speaks Spanish with English phones, an accent nobody was trained on. The listener was
  trained on English alone. The replies' recordings are the assistant's English voice saying
  Spanish words in the nearest English phones: an American accent, and r's that are never rolled.
  The recogniser that judges them has the words in the same phones, and all of the Spanish replies
  to choose from.
- All of it is synthetic speech. Nothing here says how people are understood.

Made by `make evaluate` (`python -m workers.training evaluate`), on {hardware}.
Each call's protocol is in `workers/weights/tiny/evaluation.json`.
"""


def write_report(path: Path, rows: Sequence[Row], answers: int, hardware: str) -> None:
    """Write EVALUATION.md."""
    trained = list(questions(Split.TRAIN))
    foreign = questions(Split.TRAIN, Language.SPANISH)
    text = HEAD.format(answers=answers) + "\n".join(row.line() for row in rows) + "\n"
    text += TAIL.format(
        intents=len({q.intent for q in trained}),
        families=len({q.family for q in trained}),
        phrasings=len(trained),
        one_in=HELD_OUT_ONE_IN,
        combinations=len({q.intent for q in questions(Split.COMBINATION)}),
        trained=len(TRAINED_ESPEAK),
        unseen=len(UNSEEN_ESPEAK),
        spanish_intents=len({q.intent for q in foreign}),
        spanish_families=len({q.family for q in foreign}),
        spanish_phrasings=len(foreign),
        spanish_trained=len(TRAINED_SPANISH),
        spanish_unseen=len(UNSEEN_SPANISH),
        hardware=hardware,
    )
    path.write_text(text)
