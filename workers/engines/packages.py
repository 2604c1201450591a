"""Checks that an engine's Python packages are installed, before anything imports them."""

from importlib.util import find_spec
from typing import Final

from shared.errors import ConfigError
from shared.modes import EngineName

# By the names under which they are imported, for each extra of pyproject.toml.
_EXTRAS: Final = {
    "worker": ("torch", "torchaudio", "safetensors"),
    "moshi": ("sentencepiece",),
    "cascade": ("ctranslate2", "httpx", "onnxruntime", "scipy", "tokenizers"),
}
_NEEDED: Final = {
    EngineName.HYBRID: ("worker",),
    EngineName.MOSHI: ("worker", "moshi"),
    EngineName.CASCADE: ("worker", "cascade"),
}


def check_packages(engine: EngineName) -> None:
    """Raises ConfigError with the packages that are missing."""
    extras = _NEEDED.get(engine, ())
    missing = [name for extra in extras for name in _EXTRAS[extra] if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"Expected the packages of ENGINE={engine}, but {', '.join(missing)} cannot be found: "
            f"pip install 'antiphon[{','.join(extras)}]'"
        )
