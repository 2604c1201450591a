"""Loads and warms up the cascade's parts, as the settings HEAR, THINK and SPEAK choose them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import torch

from shared.errors import ConfigError
from workers.engines.cascade.engine import CascadeEngine
from workers.engines.cascade.parts import SpeechToText, TextToSpeech
from workers.engines.cascade.remote import RemoteThinker
from workers.engines.cascade.think import LocalThinker, Thinker
from workers.engines.device import chosen_device
from workers.models.llama.model import LlamaModel
from workers.models.llama.sampling import Sampling
from workers.models.llama.source import Source, default_file, open_source
from workers.models.recorded_files import read_file
from workers.models.speech_to_text.moonshine import load_moonshine
from workers.models.speech_to_text.two_listeners import TwoListeners
from workers.models.speech_to_text.whisper import load_whisper
from workers.models.text_to_speech.hibari import load_hibari
from workers.models.text_to_speech.kokoro import load_kokoro

if TYPE_CHECKING:
    from shared.settings import Settings

_Part = TypeVar("_Part")
WEIGHTS: Final = Path(__file__).parents[2] / "weights" / "cascade"
ADAPTER: Final = WEIGHTS / "adapter.safetensors"
# Positions of a row of the model: 500 for instructions, 2,000 for memory, 640 for a turn.
CAPACITY: Final = 3_200
# Of 75 open questions, as text, 68 % were answered acceptably at temperature 0 and .1, 64 % at .3.
# At 0 every joke is the same.
SAMPLING: Final = Sampling(temperature=0.1)
# DTYPE in the language model's terms. `auto` times what this machine has.
_PRECISIONS: Final = {"auto": "auto", "float32": "float32", "bfloat16": "bf16"}


def load_cascade(settings: "Settings") -> CascadeEngine:
    """Load the parts and warm them up. Raises ConfigError if a part is missing or wrong."""
    torch.set_num_threads(settings.torch_threads)
    device = chosen_device(settings.device)
    slots = settings.worker_slots
    hear = _named("HEAR", _hear, settings)
    voice = _named("SPEAK", _voice, settings)
    thinker = _named("THINK", partial(_thinker, device), settings)
    hear.warm_up()
    voice.warm_up()
    return CascadeEngine(hear, thinker, voice, slots)


def _named(setting: str, load: Callable[["Settings"], _Part], settings: "Settings") -> _Part:
    """Load one part; an error names the setting that chose it."""
    try:
        return load(settings)
    except ConfigError as error:
        raise ConfigError(f"{setting}: {error}") from error


def _hear(settings: "Settings") -> SpeechToText:
    """The chosen Whisper. The second listener was measured beside tiny.en alone."""
    if settings.hear:
        return load_whisper(Path(settings.hear), settings.torch_threads)
    whisper = load_whisper(threads=settings.torch_threads)
    second = load_moonshine(settings.torch_threads)
    return whisper if second is None else TwoListeners(whisper, second)


def _voice(settings: "Settings") -> TextToSpeech:
    if settings.speak == "hibari":
        return load_hibari(settings.torch_threads)
    return load_kokoro(Path(settings.speak), settings.torch_threads)


def _thinker(device: str, settings: "Settings") -> Thinker:
    if settings.think.startswith(("http://", "https://")):
        key = settings.think_key.get_secret_value()
        return RemoteThinker(settings.think, settings.think_model, key)
    source = _source(settings)
    model = LlamaModel(
        source,
        slots=settings.worker_slots,
        capacity=CAPACITY,
        precision=_PRECISIONS[settings.dtype],
        device=device,
    )
    return LocalThinker(model, source.chat, SAMPLING, small=not settings.think)


def _source(settings: "Settings") -> Source:
    adapter = Path(settings.think_adapter) if settings.think_adapter else None
    if settings.think:
        return open_source(Path(settings.think), adapter)
    if adapter is None:
        read_file(WEIGHTS, ADAPTER.name)  # refuses a file that is not the recorded one
        adapter = ADAPTER
    return open_source(default_file(), adapter)
