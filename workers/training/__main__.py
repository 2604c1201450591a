"""`python -m workers.training <stage>`: make the default voice from scratch, stage by stage.

`all` runs every stage in order; `--plan` says how long each takes (plan.py): `cpu` about nine hours
on two cores, `gpu` for one GPU (with `--device cuda`), `smoke` two minutes, to see it work. Each
stage keeps its state under runs/ and goes on where it was stopped; one that is finished only
exports its weights again, into runs/weights. Needs the `train` extra and, from Debian: espeak-ng,
flite, festival, festvox-us-slt-hts, festvox-kallpc16k and festvox-kdlpc16k.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from shared.errors import ConfigError
from workers.models.repertoire import FILE as VOICES
from workers.training.stages.plan import PLANS, TrainingPlan
from workers.training.stages.training_run import Run, claim, is_trained_on

if TYPE_CHECKING:  # torch is imported by the stage that runs
    from workers.training.stages.train_s2s import Course

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


def _plan(name: str) -> TrainingPlan:
    if name not in PLANS:
        raise typer.BadParameter(f"Expected one of {sorted(PLANS)}, got {name!r}")
    return PLANS[name]


Minutes = Annotated[
    float | None,
    typer.Option(help="CPU time of the trainer, over all resumptions; default: the plan's."),
]
Runs = Annotated[Path, typer.Option(help="Corpora, checkpoints and curves.")]
Preset = Annotated[str, typer.Option(help="The sizes: tiny or base.")]
Weights = Annotated[
    Path | None,
    typer.Option(help="The folder that gets the finished weights; default: `weights` in --runs."),
]
Device = Annotated[str, typer.Option(help="Where listener and model are trained: cpu or cuda.")]
Start = Annotated[Path | None, typer.Option(help="Finished weights that a new part goes on from.")]
Named = Annotated[str, typer.Option("--plan", help="cpu, gpu or smoke: see plan.py.")]

RUNS: Final = Path("runs")
SHIPPED: Final = Path("workers/weights/tiny")
TUNED: Final = RUNS / "finetune"
ADAPTED: Final = RUNS / "adapt"
PROMPTS: Final = 30  # lines of a sheet to read


def _made(runs: Path, weights: Path | None, preset: str) -> Path:
    """The folder that gets the weights; with the voices of the shipped ones where it has none."""
    claim(runs, preset)
    folder = weights or runs / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / VOICES).exists():
        shutil.copyfile(SHIPPED / VOICES, folder / VOICES)
    return folder


def _course(
    plan: TrainingPlan, planned: float, minutes: float | None, device: str, start: Path | None
) -> "Course":
    """What the language model is taught; `minutes` instead of those planned."""
    from workers.training.stages.train_s2s import Course

    time = planned if minutes is None else minutes
    return Course(time, plan.families, device, plan.producers, plan.batch, start)


@app.command()
def corpus(runs: Runs = RUNS, plan: Named = "cpu") -> None:
    """Speak what is kept: the assistant's voice, and what the listener is evaluated on."""
    from workers.training.speech import assistant, callers

    chosen = _plan(plan)
    callers.main(runs)
    assistant.main(runs, chosen.corpus, chosen.families)


@app.command()
def listener(
    minutes: Minutes = None,
    runs: Runs = RUNS,
    preset: Preset = "tiny",
    weights: Weights = None,
    device: Device = "cpu",
    start: Start = None,
    plan: Named = "cpu",
) -> None:
    """Train what hears the caller."""
    from workers.training.stages import train_listener as stage

    course = stage.Course(
        _plan(plan).listener if minutes is None else minutes,
        device,
        _plan(plan).producers,
        _plan(plan).frames,
    )
    stage.main(runs, preset, _made(runs, weights, preset), course, start)


@app.command()
def codec(
    minutes: Minutes = None, runs: Runs = RUNS, preset: Preset = "tiny", plan: Named = "cpu"
) -> None:
    """Train the assistant's codec."""
    from workers.training.stages import train_codec as stage

    claim(runs, preset)
    stage.main(_plan(plan).codec if minutes is None else minutes, runs, preset)


@app.command()
def vocoder(
    minutes: Minutes = None, runs: Runs = RUNS, preset: Preset = "tiny", plan: Named = "cpu"
) -> None:
    """Train the vocoder."""
    from workers.training.stages import train_vocoder as stage

    claim(runs, preset)
    stage.main(_plan(plan).vocoder if minutes is None else minutes, runs, preset)


@app.command()
def voice(
    minutes: Minutes = None,
    runs: Runs = RUNS,
    preset: Preset = "tiny",
    weights: Weights = None,
    plan: Named = "cpu",
) -> None:
    """Tune the codec's decoder and the vocoder together."""
    from workers.training.stages import train_voice as stage

    planned = _plan(plan).voice if minutes is None else minutes
    stage.main(planned, runs, preset, _made(runs, weights, preset))


@app.command()
def reading(
    minutes: Minutes = None,
    runs: Runs = RUNS,
    preset: Preset = "tiny",
    weights: Weights = None,
    device: Device = "cpu",
    start: Start = None,
    plan: Named = "cpu",
) -> None:
    """Teach the model between hearing and speaking its answers, from text alone."""
    from workers.training.stages import train_s2s as stage

    chosen = _plan(plan)
    course = _course(chosen, chosen.reading, minutes, device, start)
    stage.read(runs, preset, _made(runs, weights, preset), course)


@app.command()
def joint(
    minutes: Minutes = None,
    runs: Runs = RUNS,
    preset: Preset = "tiny",
    weights: Weights = None,
    device: Device = "cpu",
    start: Start = None,
    plan: Named = "cpu",
) -> None:
    """Train the listener and the model's lower half as one, to hear what is asked."""
    from workers.training.stages import train_joint as stage

    chosen = _plan(plan)
    course = _course(chosen, chosen.joint, minutes, device, start)
    stage.main(runs, preset, _made(runs, weights, preset), course)


@app.command()
def s2s(
    minutes: Minutes = None,
    runs: Runs = RUNS,
    preset: Preset = "tiny",
    weights: Weights = None,
    device: Device = "cpu",
    start: Start = None,
    plan: Named = "cpu",
) -> None:
    """Train the model on speech, from where the stages before it ended."""
    from workers.training.stages import train_s2s as stage

    chosen = _plan(plan)
    course = _course(chosen, chosen.s2s, minutes, device, start)
    stage.hear(runs, preset, _made(runs, weights, preset), course)


@app.command()
def mean(
    folders: Annotated[list[Path], typer.Argument(help="Weights that went on from the same.")],
    output: Annotated[Path, typer.Option(help="The mean's folder.")] = RUNS / "mean",
) -> None:
    """Write the mean of weights that go on from the same ones: it can be better than each."""
    from workers.training.stages import mean as stage

    stage.main(folders, output)
    print(f"make evaluate ARGS='--weights {output} --quick'")


@app.command()
def finetune(
    data: Annotated[Path, typer.Argument(help="Stereo WAVs with data.jsonl, or *.jsonl of text.")],
    base: Annotated[Path, typer.Option(help="The weights to begin with.")] = SHIPPED,
    output: Annotated[Path, typer.Option(help="The tuned weights' folder.")] = TUNED / "weights",
    run: Annotated[Path, typer.Option(help="Checkpoint, loss and its plot.")] = TUNED,
    steps: Annotated[int, typer.Option(help="Updates, over all resumptions.")] = 400,
    minutes: Annotated[float, typer.Option(help="At most so long.")] = 60,
    method: Annotated[str, typer.Option(help="lora or full.")] = "lora",
    rate: Annotated[float, typer.Option(help="Peak learning rate; 0: the method's own.")] = 0.0,
) -> None:
    """Teach a model people's own conversations: spoken ones, or written ones for the cascade."""
    from workers.training.talk_tuning import finetune as talk

    if talk.is_written(data):
        talk.main(data, run, minutes)
        return
    from workers.training.tuning import finetune as stage

    course = stage.FinetuneSettings(steps, stage.Method(method), rate)
    report = stage.finetune(data, base, output, Run(run, minutes), course)
    print(json.dumps(report, indent=1))


@app.command()
def prompts(folder: Path, count: Annotated[int, typer.Option(help="How many.")] = PROMPTS) -> None:
    """Write a sheet of prompts to read to `adapt`."""
    from workers.training.tuning import adapt as stage

    stage.write_sheet(folder, stage.sheet(count))
    print(f"Read each line of {folder / stage.SHEET} into the WAV file that it names.")


@app.command()
def sample(folder: Path) -> None:
    """Write made-up conversations to try `finetune` on."""
    from workers.training.tuning import synthetic_conversations as stage

    stage.main(folder)


@app.command()
def stranger(
    folder: Path,
    count: Annotated[int, typer.Option(help="How many prompts.")] = 60,
    size: Annotated[float, typer.Option(help="Above 1 a smaller speaker than any trained.")] = 1.4,
) -> None:
    """Have the prompts read by a synthetic speaker unlike all trained ones, to try `adapt` on."""
    from workers.training.tuning import synthetic_reader as stage

    stage.main(folder, count, size)


@app.command()
def adapt(
    data: Annotated[Path, typer.Argument(help="WAVs of one person and prompts.tsv.")],
    base: Annotated[Path, typer.Option(help="The weights to begin with.")] = SHIPPED,
    output: Annotated[Path, typer.Option(help="The adapted weights' folder.")] = ADAPTED
    / "weights",
    run: Annotated[Path, typer.Option(help="Checkpoint, loss and its plot.")] = ADAPTED,
    train: Annotated[int, typer.Option(help="Prompts that teach; the others judge.")] = 20,
    steps: Annotated[int, typer.Option(help="Updates, over all resumptions.")] = 120,
    minutes: Annotated[float, typer.Option(help="At most so long.")] = 30,
    record: Annotated[
        bool, typer.Option("--record", help="First record what is missing, by microphone.")
    ] = False,
) -> None:
    """Let the listener learn one person's voice; how well it understands before and after."""
    from workers.training.speech import recording
    from workers.training.tuning import adapt as stage

    if record:
        if not (data / stage.SHEET).exists():
            stage.write_sheet(data, stage.sheet(PROMPTS))
        lines = stage.read_sheet(data)
        stage.check_enough(data, len(lines), train)
        recording.record(data, lines, recording.microphone, print)
    report = stage.adapt(data, base, output, Run(run, minutes), train, steps)
    print(json.dumps(report, indent=1))


@app.command(name="all")
def every(
    runs: Runs = RUNS,
    preset: Preset = "tiny",
    weights: Weights = None,
    device: Device = "cpu",
    plan: Named = "cpu",
    smoke: Annotated[bool, typer.Option("--smoke", help="The plan `smoke`.")] = False,
) -> None:
    """Every stage in order, then the evaluation, into the folder of the weights.

    The plan `smoke` keeps to the folder `smoke` of the runs, and is not evaluated.
    """
    _plan(plan)  # a wrong name leaves no trace
    if smoke or plan == "smoke":
        plan, runs, weights = "smoke", runs / "smoke", None
    made = _made(runs, weights, preset)
    corpus(runs, plan)
    if not is_trained_on(runs, made):
        listener(None, runs, preset, made, device, None, plan)
    codec(None, runs, preset, plan)
    vocoder(None, runs, preset, plan)
    voice(None, runs, preset, made, plan)
    reading(None, runs, preset, made, device, None, plan)
    joint(None, runs, preset, made, device, None, plan)
    s2s(None, runs, preset, made, device, None, plan)
    if plan != "smoke":
        evaluate(made, runs)
    print(f"MODEL={made} make run")


def evaluate(weights: Path, runs: Path) -> None:
    """Evaluate the weights in a process of its own: training does not import the evaluation."""
    options = ["--weights", str(weights), "--output", str(weights), "--runs", str(runs)]
    subprocess.run([sys.executable, "-m", "workers.evaluation", "run", *options], check=True)


def main() -> None:
    """What is wrong with a person's files or machine is said without a traceback."""
    try:
        app()
    except ConfigError as error:
        sys.exit(f"antiphon: {error}")


if __name__ == "__main__":
    main()
