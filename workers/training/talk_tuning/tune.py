"""The tuning itself: steps over the corpus, held-out loss, checkpoints, the adapter at the end."""

import hashlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save_file

from shared.errors import ConfigError
from workers.models.llama.adapter import read_adapter, write_adapter
from workers.models.llama.source import Source
from workers.training.stages.training_run import Run, write_json
from workers.training.talk_tuning.corpus import SYSTEM_TEXT, Corpus
from workers.training.talk_tuning.network import Network
from workers.training.talk_tuning.packing import Batch
from workers.training.talk_tuning.schedule import Schedule

ADAPTER: Final = "adapter.safetensors"
RECORD: Final = "record.json"
SCALE: Final = 2.0  # alpha / rank
NEVER_MINUTES: Final = 1e9  # the schedule keeps the time, by the clock
GRADIENT_NORM: Final = 1.0
FULL_EVERY: Final = 100  # steps between two held-out losses


@dataclass(frozen=True, slots=True)
class TuneSettings:
    """What makes a tuning; a checkpoint goes on only with the same."""

    rank: int = 32  # 0: all weights of the linear layers
    rate: float = 1e-3
    epochs: int = 3
    seed: int = 1


def tune(
    source: Source,
    corpus: Corpus,
    run: Run,
    settings: TuneSettings,
    minutes: float,
    start: Path | None = None,
) -> float:
    """Tune until the epochs or the minutes are over; returns the held-out loss.

    `start`: an adapter of the same rank that the tuning goes on from.
    """
    torch.manual_seed(settings.seed)
    network = Network(source.config, source.tensors, settings.rank, SCALE)
    optimiser = _optimiser(network, settings.rate)
    state = run.load() or {}
    if state:
        _take(state, settings, network, optimiser)
    elif start is not None:
        _begin_from(network, start, settings.rank)
    held_out, steps = corpus.held_out_batches(), settings.epochs * len(corpus.batches(0))
    schedule = Schedule(steps, minutes, settings.rate, float(state.get("clock_s", 0.0)))

    def save() -> None:
        run.save(_state(settings, network, optimiser, schedule))
        _export(run.folder, network)

    for batch in itertools.islice(_endless(corpus, settings.epochs), run.step, None):
        if schedule.fraction(run.step) >= 1 or not run.going():
            break
        _step(network, optimiser, batch, schedule.rate_at(run.step - 1), run)
        if run.step % FULL_EVERY == 0:
            run.say(f"step {run.step} of {steps}: held-out {held_out_loss(network, held_out):.4f}")
        if run.due():
            save()
    save()
    loss = held_out_loss(network, held_out)
    _record(run, corpus, settings, loss)
    run.finish(held_out=loss)
    return loss


def _optimiser(network: Network, rate: float) -> torch.optim.AdamW:
    trained = [value for value in network.parameters() if value.requires_grad]
    return torch.optim.AdamW(trained, rate, (0.9, 0.99), weight_decay=0.0, fused=True)


def _state(
    settings: TuneSettings, network: Network, optimiser: torch.optim.Optimizer, schedule: Schedule
) -> dict[str, Any]:
    """What a checkpoint holds; `_take` reads it."""
    return {
        "settings": asdict(settings),
        "weights": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "clock_s": schedule.spent_s,
    }


@torch.no_grad()
def held_out_loss(network: Network, batches: list[Batch]) -> float:
    """Mean cross entropy a token of the replies."""
    total = count = 0.0
    for batch in batches:
        replies = batch.weights == 1
        losses = network.losses(batch)[replies]
        total, count = total + float(losses.sum()), count + losses.numel()
    return total / max(count, 1)


def _endless(corpus: Corpus, epochs: int) -> Iterator[Batch]:
    for epoch in range(epochs):
        yield from corpus.batches(epoch)


def _step(
    network: Network, optimiser: torch.optim.Optimizer, batch: Batch, rate: float, run: Run
) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate
    losses = network.losses(batch)
    loss = (losses * batch.weights).sum() / batch.weights.sum()
    torch.autograd.backward(loss)
    norm = torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
    if math.isfinite(float(norm)):
        optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    run.log(loss=float(losses[batch.weights == 1].mean().detach()), norm=float(norm))


def _take(
    state: dict[str, Any],
    settings: TuneSettings,
    network: Network,
    optimiser: torch.optim.Optimizer,
) -> None:
    if state["settings"] != asdict(settings):
        raise ConfigError(
            f"Expected the settings that the checkpoint was begun with, {state['settings']}, "
            f"got {asdict(settings)}: take another --run folder, or remove this one"
        )
    network.load_state_dict(state["weights"])
    optimiser.load_state_dict(state["optimiser"])


def _begin_from(network: Network, start: Path, rank: int) -> None:
    """Give the network an adapter's weights. Raises ConfigError on one of another shape."""
    pairs, scale = read_adapter(start)
    for name, layer in network.named_linear():
        found = pairs.get(name)
        if found is None or found[0].shape != layer.a.shape:
            raise ConfigError(f"Expected an adapter of rank {rank} for {name} in {start}")
        with torch.no_grad():
            layer.a.copy_(found[0])
            layer.b.copy_(found[1] * (scale / SCALE))


def _export(folder: Path, network: Network) -> None:
    if network.rank:
        pairs: dict[str, tuple[torch.Tensor, torch.Tensor]] = {
            name: (one.a, one.b) for name, one in network.named_linear()
        }
        write_adapter(folder / ADAPTER, pairs, SCALE)
        return
    weights = {name: one.weight.detach().to(torch.bfloat16) for name, one in network.named_linear()}
    save_file(weights, folder / "tuned.safetensors")


def _record(run: Run, corpus: Corpus, settings: TuneSettings, loss: float) -> None:
    """What the result was made from: settings, conversations, hashes."""
    last = max(run.folder.glob("epoch-*.jsonl"), key=lambda path: int(path.stem.split("-")[1]))
    found = corpus.conversations(int(last.stem.split("-")[1]))
    adapter = run.folder / ADAPTER
    write_json(
        run.folder / RECORD,
        {
            "settings": asdict(settings),
            "system": SYSTEM_TEXT,
            "steps": run.step,
            "conversations": len(found),
            "exchanges": sum(len(one.turns) for one in found),
            "corpus_sha256": hashlib.sha256(last.read_bytes()).hexdigest(),
            "adapter_sha256": (
                hashlib.sha256(adapter.read_bytes()).hexdigest() if adapter.exists() else None
            ),
            "held_out_loss": loss,
        },
    )
