"""Finds the weights of Moonshine tiny, English, in the package moonshine-voice, and checks them."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from shared.errors import ConfigError
from workers.models.recorded_files import check

PACKAGE: Final = "moonshine-voice"  # on PyPI; its code and its English weights are MIT
VERSION: Final = "0.1.0"  # later ones fetch the weights from the network
FOLDER: Final = "moonshine_voice/assets/tiny-en"
ENCODER: Final = "encoder_model.ort"
DECODER: Final = "decoder_model_merged.ort"
TOKENS: Final = "tokenizer.bin"
PINNED: Final = {
    ENCODER: "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    DECODER: "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    TOKENS: "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}


def packaged() -> dict[str, bytes] | None:
    """The files by name; None without the package. Raises ConfigError if one differs.

    The package is found and not imported: its own code would load another onnxruntime.
    """
    try:
        folder = Path(str(distribution(PACKAGE).locate_file(FOLDER)))
    except PackageNotFoundError:
        return None
    remedy = f"pip install --no-deps {PACKAGE}=={VERSION}"
    if missing := [name for name in PINNED if not (folder / name).is_file()]:
        raise ConfigError(f"Expected {' and '.join(missing)} in {folder}, got none: {remedy}")
    files = {name: (folder / name).read_bytes() for name in PINNED}
    for name, wanted in PINNED.items():
        check(folder / name, files[name], wanted, remedy)
    return files
