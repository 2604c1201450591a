"""Settings of the training commands: one keyword-only dataclass each, whose fields are the options.

`command_line.py` turns such a dataclass into a command. This module imports no torch.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from typer import Argument, Option

from workers.training.stages.plan import PLANS, PlanName, TrainingPlan

RUNS: Final = Path("runs")
SHIPPED: Final = Path("workers/weights/tiny")

Preset = Annotated[str, Option(help="Sizes of the networks: tiny or base.")]
OutputWeights = Annotated[
    Path | None,
    Option(help="Folder to write finished weights to; default: `weights` in --runs."),
]
Device = Annotated[str, Option(help="Where to train listener and language model: cpu or cuda.")]
BaseWeights = Annotated[Path, Option(help="OutputWeights to start from.")]
TuningRunFolder = Annotated[
    Path, Option(help="Folder of the checkpoint, the losses and their plot.")
]
Steps = Annotated[int, Option(help="Updates, over all resumptions.")]
MostMinutes = Annotated[float, Option(help="Stop after so many CPU minutes.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSettings:
    """Settings of every stage."""

    runs: Annotated[Path, Option(help="Folder of corpora, checkpoints and curves.")] = RUNS
    plan: Annotated[PlanName, Option(help="Times and sizes: see stages/plan.py.")] = PlanName.CPU

    @property
    def planned(self) -> TrainingPlan:
        """The plan itself."""
        return PLANS[self.plan]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSettings(CorpusSettings):
    """Settings of a stage that trains a network."""

    minutes: Annotated[
        float | None,
        Option(help="CPU time of the trainer, over all resumptions; default: the plan's."),
    ] = None
    preset: Preset = "tiny"

    def minutes_of(self, stage: str) -> float:
        """The stage's CPU minutes: `minutes`, else the plan's."""
        return self.planned.minutes[stage] if self.minutes is None else self.minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsSettings(StageSettings):
    """Settings of a stage that also writes finished weights."""

    weights: OutputWeights = None

    @property
    def output(self) -> Path:
        """The folder that gets the weights."""
        return self.weights or self.runs / "weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings(WeightsSettings):
    """Settings of a stage that trains the listener or the language model."""

    device: Device = "cpu"
    start: Annotated[Path | None, Option(help="Finished weights to start a new part from.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllStagesSettings(CorpusSettings):
    """Settings of the whole training."""

    preset: Preset = "tiny"
    weights: OutputWeights = None
    device: Device = "cpu"
    smoke: Annotated[bool, Option("--smoke", help="Use the plan `smoke`.")] = False

    @property
    def output(self) -> Path:
        """The folder that gets the weights."""
        return self.weights or self.runs / "weights"


class Method(StrEnum):
    """Which parameters fine-tuning trains."""

    LORA = "lora"
    FULL = "full"


RATES: Final = {Method.LORA: 2e-3, Method.FULL: 3e-4}


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneSettings:
    """Settings of fine-tuning on recorded conversations."""

    data: Annotated[Path, Argument(help="Stereo WAVs with data.jsonl, or *.jsonl of text.")]
    base: BaseWeights = SHIPPED
    output: Annotated[Path, Option(help="Folder to write the tuned weights to.")] = (
        RUNS / "finetune" / "weights"
    )
    run: TuningRunFolder = RUNS / "finetune"
    steps: Steps = 400
    minutes: MostMinutes = 60.0
    method: Annotated[Method, Option(help="Train low-rank products or all weights.")] = Method.LORA
    rate: Annotated[float, Option(help="Peak learning rate; 0: the method's default.")] = 0.0
    seed: Annotated[int, Option(hidden=True)] = 5

    @property
    def peak_rate(self) -> float:
        """The peak learning rate to use."""
        return self.rate or RATES[self.method]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptSettings:
    """Settings of adapting the listener to one speaker."""

    data: Annotated[Path, Argument(help="Folder of one person's WAVs and prompts.tsv.")]
    base: BaseWeights = SHIPPED
    output: Annotated[Path, Option(help="Folder to write the adapted weights to.")] = (
        RUNS / "adapt" / "weights"
    )
    run: TuningRunFolder = RUNS / "adapt"
    train: Annotated[int, Option(help="Prompts to train on; the others are for judging.")] = 20
    steps: Steps = 120
    minutes: MostMinutes = 30.0
    record: Annotated[
        bool, Option("--record", help="First record the missing prompts by microphone.")
    ] = False
    seed: Annotated[int, Option(hidden=True)] = 3
