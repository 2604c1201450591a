"""The plans of `make train`: how long each stage takes, and on how much data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from workers.training.questions.catalogue import FAMILIES, FAMILIES_IN
from workers.training.questions.question_families import Language

# Large tables and whole dictionaries, which `tiny` does not learn in a night on two cores.
LARGE: Final = frozenset(
    "quotient|bigger|is bigger|count between|date after|is it the capital|size|speed|heaviness"
    "|repeat|spelling|country".split("|")
)
TAUGHT: Final = tuple(
    family.name
    for family in (*FAMILIES, *FAMILIES_IN[Language.SPANISH])
    if family.name not in LARGE
)


class PlanName(StrEnum):
    """The plans that `--plan` accepts."""

    CPU = "cpu"
    GPU = "gpu"
    SMOKE = "smoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """CPU minutes of each stage, over all resumptions, and the amount of data."""

    minutes: Mapping[str, float]
    corpus: float = 1.0  # share of the assistant's corpus
    families: tuple[str, ...] = ()  # empty: all
    producers: int = 1  # processes that synthesise speech, beside the one that trains
    batch: int = 32  # rows in a step of the language model
    frames: int = 5_000  # mel frames in a step of the listener


PLANS: Final = {
    # Two cores of a current server processor: about nine hours.
    PlanName.CPU: TrainingPlan(
        minutes={
            "listener": 120,
            "codec": 31,
            "vocoder": 50,
            "voice": 25,
            "reading": 60,
            "joint": 90,
            "s2s": 180,
        },
        families=TAUGHT,
    ),
    # One large GPU, with sixteen cores for the speech: at least two and a half hours. Minutes count
    # the trainer's CPU time only. The voice stages run on the CPU and take two of the hours. These
    # figures are estimates: the plan has never run.
    PlanName.GPU: TrainingPlan(
        minutes={
            "listener": 12,
            "codec": 31,
            "vocoder": 50,
            "voice": 25,
            "reading": 3,
            "joint": 8,
            "s2s": 15,
        },
        producers=14,
        batch=256,
        frames=40_000,
    ),
    # Every line of every stage in two minutes. The resulting weights answer nothing correctly.
    PlanName.SMOKE: TrainingPlan(
        minutes=dict.fromkeys(
            ("listener", "codec", "vocoder", "voice", "reading", "joint", "s2s"), 0.1
        ),
        corpus=0.015,
        families=("day after", "hello", "thanks"),
        producers=0,
        batch=8,
    ),
}
