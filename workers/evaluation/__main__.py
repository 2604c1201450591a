"""`python -m workers.evaluation <command>`: measure finished weights, their voices, and the VADs.

It needs the `train` extra and the speech engines that training needs.
"""

from pathlib import Path
from typing import Annotated, Final

import typer

from workers.training.command_line import run_app

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

Weights = Annotated[Path, typer.Option(help="A folder of finished weights.")]

SHIPPED: Final = Path("workers/weights/tiny")


@app.command()
def run(
    weights: Weights = SHIPPED,
    output: Annotated[Path, typer.Option(help="The folder of docs/evaluation.md.")] = Path(),
    runs: Annotated[Path, typer.Option(help="Where to write each call's record.")] = Path("runs"),
    quick: Annotated[
        bool, typer.Option("--quick", help="A sixth of the calls, written to runs/evaluation.")
    ] = False,
    share: Annotated[float, typer.Option(help="Share of each row's questions, 0 to 1.")] = 1.0,
) -> None:
    """Ask the weights spoken questions, WAV in and WAV out, and judge the answers."""
    from workers.evaluation import evaluate

    evaluate.main(weights, output, runs, quick=quick, share=share)


@app.command()
def talk(
    output: Annotated[Path, typer.Option(help="The folder of docs/evaluation.md.")] = Path(),
    runs: Annotated[Path, typer.Option(help="Where a quick run writes.")] = Path("runs"),
    quick: Annotated[
        bool, typer.Option("--quick", help="A sixth of the calls, written to runs/evaluation.")
    ] = False,
    share: Annotated[float, typer.Option(help="Share of the questions, 0 to 1.")] = 1.0,
) -> None:
    """Ask the cascade open questions, sums and families by voice, and judge the answers."""
    from workers.evaluation.talk import main as talk_main

    talk_main.main(output, runs, quick=quick, share=share)


@app.command()
def hear(
    folders: Annotated[list[Path], typer.Argument(help="Sound files, each with a .txt file.")],
    output: Annotated[
        Path | None, typer.Option(help="Write each recording's transcript to this JSON file.")
    ] = None,
) -> None:
    """Let the cascade hear your own recordings, and count its word errors by folder."""
    from workers.evaluation import recordings

    recordings.main(folders, output)


@app.command()
def vad(
    output: Annotated[Path, typer.Option(help="The JSON file to write.")] = Path("runs/vad.json"),
    minutes: Annotated[
        float, typer.Option(help="Minutes of speech and noise for each condition.")
    ] = 4,
) -> None:
    """Compare the energy VAD with Silero's on speech in noise: F1, delay and false turn ends."""
    from workers.evaluation import vad_comparison

    vad_comparison.main(output, minutes)


@app.command()
def voices(
    weights: Weights = SHIPPED,
    output: Annotated[Path, typer.Option(help="The folder of docs/evaluation.md.")] = Path(),
    replies: Annotated[int, typer.Option(help="How many replies to speak in each style.")] = 60,
) -> None:
    """Measure each voice and style: pitch, melody, level, and how well the judge understands it."""
    from workers.evaluation import voice_styles

    voice_styles.main(weights, output, replies)


if __name__ == "__main__":
    run_app(app)
