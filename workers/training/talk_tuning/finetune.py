"""`make finetune DATA=folder` with written conversations: tune the cascade's model on them too.

The folder holds *.jsonl files with lines such as {"topic": "shop", "turns": [["Hi.", "Hello."]]}.
The tuning goes on from the shipped adapter. It also learns a share of the shipped exchanges, so
that the model keeps what it knows.
"""

from pathlib import Path
from typing import Final

from workers.models.llama.source import default_file, open_source
from workers.training.stages.training_run import Run
from workers.training.talk_tuning import conversations
from workers.training.talk_tuning.corpus import BATCH_TOKENS, Corpus
from workers.training.talk_tuning.tune import ADAPTER, NEVER_MINUTES, TuneSettings, tune

EXCHANGES: Final = Path(__file__).with_name("exchanges")
SHIPPED: Final = Path("workers/weights/cascade/adapter.safetensors")
SETTINGS: Final = TuneSettings(rank=32, rate=3e-4, epochs=4, seed=1)
KEPT: Final = 2  # shipped conversations for each new one


def is_written(data: Path) -> bool:
    """Whether a folder holds written conversations, rather than recordings."""
    return any('"turns"' in path.read_text().partition("\n")[0] for path in data.glob("*.jsonl"))


def main(data: Path, run: Path, minutes: float) -> None:
    """Tune, or go on with a tuning that was stopped; say how to use the result."""
    run.mkdir(parents=True, exist_ok=True)
    new = conversations.read([data])
    kept = conversations.read([EXCHANGES])
    step = max(1, len(kept) // (KEPT * len(new)))
    mixed = run / "mixed.jsonl"
    conversations.write(mixed, [*new, *kept[::step]])
    source = open_source(default_file())
    course = Run(run, NEVER_MINUTES, every=10)
    corpus = Corpus([mixed], run, source, SETTINGS.seed, BATCH_TOKENS)
    loss = tune(source, corpus, course, SETTINGS, minutes, SHIPPED)
    print(f"{len(new)} conversations of yours, held-out loss {loss:.3f}")
    print(f"Use it: THINK_ADAPTER={run / ADAPTER} make run")
