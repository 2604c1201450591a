"""Reads a model folder in Hugging Face's layout: config.json, tokenizer.json, *.safetensors."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from shared.errors import ConfigError
from workers.models.llama.config import LlamaConfig, from_hf
from workers.models.llama.tensors import Tensors


@dataclass(frozen=True, slots=True)
class HfFolder:
    """A folder's content, with the tensors in their stored type."""

    config: LlamaConfig
    tensors: Tensors
    chat_template: str
    extra: dict[str, Any]  # generation_config.json, or {}


def read_folder(path: Path) -> HfFolder:
    """Read a whole folder. Raises ConfigError if something is missing."""
    config = from_hf(_json(path / "config.json", needed=True))
    files = sorted(path.glob("*.safetensors"))
    if not files:
        raise ConfigError(
            f"Expected *.safetensors in {path}, got none: copy the model's whole folder"
        )
    tensors: Tensors = {}
    for file in files:
        tensors.update(load_file(file))
    tied = tensors.get("lm_head.weight") is None
    if tied and "model.embed_tokens.weight" not in tensors:
        raise ConfigError(f"Expected model.embed_tokens.weight in {path}, but it is missing")
    template = str(_json(path / "tokenizer_config.json").get("chat_template") or "")
    if (path / "chat_template.jinja").exists():
        template = (path / "chat_template.jinja").read_text()
    return HfFolder(config, tensors, template, _json(path / "generation_config.json"))


def _json(path: Path, *, needed: bool = False) -> dict[str, Any]:
    if not path.exists():
        if needed:
            raise ConfigError(f"Expected the file {path}, got none: copy the model's whole folder")
        return {}
    found: dict[str, Any] = json.loads(path.read_text())
    return found
