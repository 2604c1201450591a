"""Reads the file `.env`: NAME=value, one a line."""

import codecs
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from shared.errors import ConfigError


def read_env_file(path: Path) -> dict[str, str]:
    """The file's names and values; empty if there is no such file. Raises ConfigError.

    The errors show no line of the file, because any line may hold a secret.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"Expected a readable file {path}, got: {error.strerror}") from error
    found = dotenv_values(stream=StringIO(_text(path, data)))
    return {name: value for name, value in found.items() if value is not None}


def _text(path: Path, data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ConfigError(f"Expected {path} in UTF-8, got UTF-16: save it as UTF-8")
    try:
        return data.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"Expected {path} in UTF-8, got another encoding in line {line}: save it as UTF-8"
        ) from None
