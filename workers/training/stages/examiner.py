"""Measures the language model as it trains: right replies in each condition, and GO's timing."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, S2SConfig
from workers.models.speech_to_speech.vocabulary import Vocabulary
from workers.training.metrics.greedy_replies import (
    TURN_STEPS,
    TurnPrompt,
    go_error_steps,
    replies_to,
    right,
)
from workers.training.samples.replies import TargetReply
from workers.training.samples.sequences import Sample, turn_sample
from workers.training.samples.spoken_turns import EncodedTurn
from workers.training.stages.training_run import Run

TIMED: Final = 40  # turns of `espeak` on which GO's timing is measured
IN_TIME_STEPS: Final = 2


class Examiner:
    """Asks the model questions that it was and was not taught."""

    def __init__(
        self,
        checks: Mapping[str, Sequence[EncodedTurn]],
        replies: Mapping[str, TargetReply],
        vocabulary: Vocabulary,
    ) -> None:
        self._checks, self._replies, self._vocabulary = checks, replies, vocabulary

    def examine(self, model: HybridS2S, run: Run) -> dict[str, float]:
        """The share of right texts in each condition, and of timely GOs in stream mode."""
        model.eval()
        found: dict[str, float] = {}
        for condition, turns in self._checks.items():
            before = self._before(model.config) if condition == "then" else [None] * len(turns)
            prompts = [TurnPrompt(turn, known) for turn, known in zip(turns, before, strict=True)]
            wanted = [turn.said.question.reply for turn in turns]
            found[f"right_{condition}"] = right(
                wanted, replies_to(model, prompts, self._vocabulary)
            )
        late = np.array(go_error_steps(model, self._checks["espeak"][:TIMED]))
        found["go_in_time"] = float((np.abs(late) <= IN_TIME_STEPS).mean())
        model.train()
        with (run.folder / "checks.jsonl").open("a") as out:
            out.write(json.dumps({"step": run.step, **found}) + "\n")
        run.say(f"step {run.step}: {found}")
        return found

    def _before(self, config: S2SConfig) -> list[Sample]:
        """The questions of `espeak` with their answers, which the follow-ups refer to."""
        return [
            turn_sample(
                turn.states[: turn.end + TURN_STEPS].astype(np.float32),
                self._replies[turn.said.question.reply],
                config,
            )
            for turn in self._checks["espeak"]
        ]
