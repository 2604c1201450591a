"""`python -m workers.training <stage>`: train the default voice from scratch, stage by stage.

`all` runs every stage in order. `--plan` chooses their times (stages/plan.py): `cpu` takes about
nine hours on two cores, `gpu` is for one GPU (with `--device cuda`), `smoke` tries every stage in
two minutes. Each stage keeps its state under runs/ and resumes where it was stopped. A finished
stage only exports its weights again, to runs/weights. Training needs the `train` extra and, from
Debian: espeak-ng, flite, festival, festvox-us-slt-hts, festvox-kallpc16k and festvox-kdlpc16k.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final

import typer

from workers.models.voice.repertoire import FILE as VOICES
from workers.training.command_line import add_command, run_app
from workers.training.command_settings import (
    RUNS,
    SHIPPED,
    AdaptSettings,
    AllStagesSettings,
    CorpusSettings,
    FinetuneSettings,
    ModelSettings,
    StageSettings,
    WeightsSettings,
)
from workers.training.stages.plan import PlanName
from workers.training.stages.training_run import claim, is_trained_on

PROMPTS: Final = 30  # lines of a sheet to read

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the training; its module, which imports torch, is loaded when the stage runs."""

    settings: type[CorpusSettings]
    module: str  # of workers.training.stages
    function: str
    summary: str


STAGES: Final = {  # in the order of a whole training
    "corpus": Stage(
        CorpusSettings, "corpus", "main", "Synthesise the assistant's voice and the test callers."
    ),
    "listener": Stage(ModelSettings, "train_listener", "main", "Train the listener."),
    "codec": Stage(StageSettings, "train_codec", "main", "Train the assistant's codec."),
    "vocoder": Stage(StageSettings, "train_vocoder", "main", "Train the vocoder."),
    "voice": Stage(
        WeightsSettings, "train_voice", "main", "Train the codec's decoder and the vocoder jointly."
    ),
    "reading": Stage(
        ModelSettings, "train_s2s", "train_on_text", "Teach the language model answers from text."
    ),
    "joint": Stage(
        ModelSettings,
        "train_joint",
        "main",
        "Train the listener and the language model's lower half on the caller's words.",
    ),
    "s2s": Stage(
        ModelSettings,
        "train_s2s",
        "train_on_speech",
        "Train the language model on speech, starting from the stages before.",
    ),
}


def run_stage(name: str, settings: CorpusSettings) -> None:
    """Prepare the folders that the stage writes to, then run it."""
    if isinstance(settings, StageSettings):
        claim(settings.runs, settings.preset)
    if isinstance(settings, WeightsSettings):
        prepare(settings.output)
    stage = STAGES[name]
    module = import_module(f"workers.training.stages.{stage.module}")
    run: Callable[[CorpusSettings], None] = getattr(module, stage.function)
    run(settings)


def prepare(weights: Path) -> None:
    """Create a weights folder; it gets the shipped voices unless it has voices."""
    weights.mkdir(parents=True, exist_ok=True)
    if not (weights / VOICES).exists():
        shutil.copyfile(SHIPPED / VOICES, weights / VOICES)


def run_all(settings: AllStagesSettings) -> None:
    """Run every stage, then evaluate; the plan `smoke` uses a folder of its own, unevaluated."""
    smoke = settings.smoke or settings.plan is PlanName.SMOKE
    if smoke:
        runs = settings.runs / "smoke"
        settings = replace(settings, plan=PlanName.SMOKE, runs=runs, weights=None)
    claim(settings.runs, settings.preset)
    prepare(settings.output)
    given = {field.name: getattr(settings, field.name) for field in fields(settings)}
    for name, stage in STAGES.items():
        if name == "listener" and is_trained_on(settings.runs, settings.output):
            continue
        taken = {field.name for field in fields(stage.settings)} & given.keys()
        run_stage(name, stage.settings(**{key: given[key] for key in taken}))
    if not smoke:
        evaluate(settings.output, settings.runs)
    print(f"MODEL={settings.output} make run")


def evaluate(weights: Path, runs: Path) -> None:
    """Evaluate the weights in a process of its own: training does not import the evaluation."""
    options = ["--weights", str(weights), "--output", str(weights), "--runs", str(runs)]
    subprocess.run([sys.executable, "-m", "workers.evaluation", "run", *options], check=True)


def run_finetune(settings: FinetuneSettings) -> None:
    """Tune the model of the conversations' kind; print the report of spoken ones."""
    from workers.training.talk_tuning import finetune as talk_tuning

    if talk_tuning.is_written(settings.data):
        talk_tuning.main(settings.data, settings.run, settings.minutes)
        return
    from workers.training.stages.training_run import Run
    from workers.training.tuning.finetune_s2s import finetune

    report = finetune(settings, Run(settings.run, settings.minutes))
    print(json.dumps(report, indent=1))


def run_adapt(settings: AdaptSettings) -> None:
    """Record the missing prompts if asked to, adapt, and print the report."""
    from workers.training.speech import recording
    from workers.training.stages.training_run import Run
    from workers.training.tuning import adapt, prompts

    if settings.record:
        if not (settings.data / prompts.SHEET).exists():
            prompts.write_sheet(settings.data, prompts.sheet(PROMPTS))
        lines = prompts.read_sheet(settings.data)
        prompts.check_enough(settings.data, len(lines), settings.train)
        recording.record(settings.data, lines, recording.microphone, print)
    report = adapt.adapt(settings, Run(settings.run, settings.minutes))
    print(json.dumps(report, indent=1))


def _stage_command(name: str) -> Callable[[CorpusSettings], None]:
    return lambda settings: run_stage(name, settings)


for _name, _stage in STAGES.items():
    add_command(app, _name, _stage.settings, _stage_command(_name), _stage.summary)
add_command(
    app,
    "all",
    AllStagesSettings,
    run_all,
    "Run every stage in order, then the evaluation. The plan `smoke` writes to the folder `smoke` "
    "of the runs and skips the evaluation.",
)
add_command(
    app,
    "finetune",
    FinetuneSettings,
    run_finetune,
    "Tune a language model on your own conversations: recorded ones, or written ones for the "
    "cascade engine.",
)
add_command(
    app,
    "adapt",
    AdaptSettings,
    run_adapt,
    "Adapt the listener to one person's voice, and report its accuracy before and after.",
)


@app.command()
def mean(
    folders: Annotated[list[Path], typer.Argument(help="Weights that share their origin.")],
    output: Annotated[Path, typer.Option(help="Folder to write the mean to.")] = RUNS / "mean",
) -> None:
    """Write the mean of weights that share their origin: it can be better than each of them."""
    from workers.training.stages import mean

    mean.main(folders, output)
    print(f"make evaluate ARGS='--weights {output} --quick'")


@app.command()
def prompts(
    folder: Path, count: Annotated[int, typer.Option(help="Number of prompts.")] = PROMPTS
) -> None:
    """Write a sheet of prompts to read for `adapt`."""
    from workers.training.tuning import prompts

    prompts.write_sheet(folder, prompts.sheet(count))
    print(f"Read each line of {folder / prompts.SHEET} into the WAV file that it names.")


@app.command()
def sample(folder: Path) -> None:
    """Write synthetic conversations to try `finetune` on."""
    from workers.training.tuning import synthetic_conversations

    synthetic_conversations.main(folder)


@app.command()
def stranger(
    folder: Path,
    count: Annotated[int, typer.Option(help="Number of prompts.")] = 60,
    size: Annotated[
        float, typer.Option(help="Above 1: a speaker smaller than all trained ones.")
    ] = 1.4,
) -> None:
    """Have a synthetic speaker unlike all trained ones read prompts, to try `adapt` on."""
    from workers.training.tuning import synthetic_reader

    synthetic_reader.main(folder, count=count, size=size)


if __name__ == "__main__":
    run_app(app)
