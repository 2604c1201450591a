"""How long each stage of a whole training takes, and on what: the plans of `make train`."""

from dataclasses import dataclass
from typing import Final

from workers.training.questions.catalogue import FAMILIES, FAMILIES_IN
from workers.training.questions.families import Language

# What two cores cannot teach to `tiny` in a night: large tables, and whole dictionaries.
LARGE: Final = frozenset(
    "quotient|bigger|is bigger|count between|date after|is it the capital|size|speed|heaviness"
    "|repeat|spelling|country".split("|")
)
TAUGHT: Final = tuple(
    family.name
    for family in (*FAMILIES, *FAMILIES_IN[Language.SPANISH])
    if family.name not in LARGE
)


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Minutes of each stage, over all resumptions; and how large the corpora are."""

    listener: float
    codec: float
    vocoder: float
    voice: float
    reading: float
    joint: float
    s2s: float
    corpus: float = 1.0  # share of the assistant's corpus
    families: tuple[str, ...] = ()  # () all
    producers: int = 1  # processes that speak, beside the one that trains
    batch: int = 32  # rows of a step of the language model
    frames: int = 5_000  # mel frames of a step of the listener


PLANS: Final = {
    # Two cores of a current server processor: about nine hours.
    "cpu": TrainingPlan(
        listener=120,
        codec=31,
        vocoder=50,
        voice=25,
        reading=60,
        joint=90,
        s2s=180,
        families=TAUGHT,
    ),
    # One large GPU with sixteen cores for the speech: two and a half hours and more, since minutes
    # count the trainer's CPU alone; the voice stages, on the CPU in any case, are two of them. An
    # estimate: never run.
    "gpu": TrainingPlan(
        listener=12,
        codec=31,
        vocoder=50,
        voice=25,
        reading=3,
        joint=8,
        s2s=15,
        producers=14,
        batch=256,
        frames=40_000,
    ),
    # Every line of every stage in two minutes; what comes out says nothing right.
    "smoke": TrainingPlan(
        listener=0.1,
        codec=0.1,
        vocoder=0.1,
        voice=0.1,
        reading=0.1,
        joint=0.1,
        s2s=0.1,
        corpus=0.015,
        families=("day after", "hello", "thanks"),
        producers=0,
        batch=8,
    ),
}
