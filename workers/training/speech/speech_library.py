"""The speech engines' libraries and programs, and the error of an engine that does not work."""

import ctypes
import subprocess
from pathlib import Path

from shared.errors import ConfigError


class SpeechError(ConfigError):
    """An engine is not installed, or returned silence."""


def shared_library(name: str, package: str) -> ctypes.CDLL:
    """Load a library. The SpeechError of a missing one names its Debian package."""
    try:
        return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise SpeechError(f"{name} is missing: apt-get install {package}") from error


def festival(script: Path, voice: str, package: str) -> None:
    """Run a festival script. The SpeechError of a failure names the voice's Debian package."""
    try:
        subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True)
    except OSError as error:
        raise SpeechError(f"festival is missing: apt-get install festival {package}") from error
    except subprocess.CalledProcessError as error:
        output = error.stderr.decode(errors="replace").strip()
        raise SpeechError(
            f"festival failed with {voice} ({output[-300:]}): apt-get install {package}"
        ) from error


def quotable(text: str) -> str:
    """The text without the characters that end or escape a string in a festival script."""
    return text.replace("\\", " ").replace('"', " ")
