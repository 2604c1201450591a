"""`python -m workers.training <stage>`: make the default voice from scratch, stage by stage.

`all` runs every stage in order (about five hours on two cores). Each stage keeps its state under
runs/ and goes on where it was stopped; one that is finished only exports its weights again.
Needs the `train` extra and, from Debian: espeak-ng, flite, festival, festvox-us-slt-hts, and for
the evaluation alone festvox-kallpc16k and festvox-kdlpc16k.
"""

from pathlib import Path
from typing import Annotated, Final

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

Minutes = Annotated[float, typer.Option(help="Training time, over all resumptions.")]
Runs = Annotated[Path, typer.Option(help="Corpora, checkpoints and curves.")]
Preset = Annotated[str, typer.Option(help="The sizes: tiny or base.")]
Weights = Annotated[Path, typer.Option(help="The folder that gets the finished weights.")]

RUNS: Final = Path("runs")
WEIGHTS: Final = Path("workers/weights/tiny")


@app.command()
def corpus(runs: Runs = RUNS) -> None:
    """Speak everything: the callers' broad speech and questions, and the assistant's voice."""
    from workers.training import assistant, callers, renditions

    for stage in (callers, renditions, assistant):
        stage.main(0, runs, "")


@app.command()
def listener(
    minutes: Minutes = 51, runs: Runs = RUNS, preset: Preset = "tiny", weights: Weights = WEIGHTS
) -> None:
    """Train what hears the caller."""
    from workers.training import listener as stage

    stage.main(minutes, runs, preset, weights)


@app.command()
def codec(minutes: Minutes = 31, runs: Runs = RUNS, preset: Preset = "tiny") -> None:
    """Train the assistant's codec."""
    from workers.training import codec as stage

    stage.main(minutes, runs, preset)


@app.command()
def vocoder(minutes: Minutes = 50, runs: Runs = RUNS, preset: Preset = "tiny") -> None:
    """Train the vocoder."""
    from workers.training import vocoder as stage

    stage.main(minutes, runs, preset)


@app.command()
def voice(
    minutes: Minutes = 25, runs: Runs = RUNS, preset: Preset = "tiny", weights: Weights = WEIGHTS
) -> None:
    """Tune the codec's decoder and the vocoder together."""
    from workers.training import voice as stage

    stage.main(minutes, runs, preset, weights)


@app.command()
def s2s(
    minutes: Minutes = 60, runs: Runs = RUNS, preset: Preset = "tiny", weights: Weights = WEIGHTS
) -> None:
    """Train the model between hearing and speaking."""
    from workers.training import s2s as stage

    stage.main(minutes, runs, preset, weights)


@app.command()
def evaluate(
    weights: Weights = WEIGHTS,
    output: Annotated[Path, typer.Option(help="Where EVALUATION.md goes.")] = Path(),
    quick: Annotated[bool, typer.Option(help="Fewer questions.")] = False,
) -> None:
    """Ask the finished weights, WAV in and WAV out, and judge the answers."""
    from workers.training import evaluate as stage

    stage.main(weights, output, quick)


@app.command(name="all")
def every(
    runs: Runs = RUNS,
    preset: Preset = "tiny",
    weights: Weights = WEIGHTS,
    scale: Annotated[float, typer.Option(help="Multiplies every stage's training time.")] = 1.0,
) -> None:
    """Every stage in order, then the evaluation."""
    corpus(runs)
    listener(51 * scale, runs, preset, weights)
    codec(31 * scale, runs, preset)
    vocoder(50 * scale, runs, preset)
    voice(25 * scale, runs, preset, weights)
    s2s(60 * scale, runs, preset, weights)
    evaluate(weights)


if __name__ == "__main__":
    app()
