"""`python -m workers.training.talk_tuning.systematic OUT.jsonl`: write the corpus, print counts."""

from pathlib import Path
from random import Random
from typing import Annotated

import typer

from workers.training.talk_tuning.conversations import write
from workers.training.talk_tuning.systematic.corpus import corpus


def main(
    out: Annotated[Path, typer.Argument(help="The JSON lines file to write.")],
    seed: Annotated[int, typer.Option(help="Another seed gives another draw.")] = 1,
) -> None:
    """Write the systematic part of the tuning corpus, shuffled, one conversation per line."""
    families = corpus(seed)
    for name, conversations in families.items():
        exchanges = sum(len(conversation.turns) for conversation in conversations)
        print(f"{exchanges:5} exchanges in {len(conversations):5} conversations: {name}")
    every = [conversation for found in families.values() for conversation in found]
    Random(seed).shuffle(every)
    write(out, every)


if __name__ == "__main__":
    typer.run(main)
