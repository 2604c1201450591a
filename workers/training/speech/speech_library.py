"""The shared libraries of speech engines, and the error of an engine that does not speak."""

import ctypes
import subprocess
from pathlib import Path

from shared.errors import ConfigError


class SpeechError(ConfigError):
    """An engine is not installed, or said nothing."""


def shared_library(name: str, package: str) -> ctypes.CDLL:
    """Load a library; raises SpeechError that names its Debian package."""
    try:
        return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise SpeechError(f"{name} is missing: apt-get install {package}") from error


def festival(script: Path, voice: str, package: str) -> None:
    """Run a script of festival's; raises SpeechError that names the voice's Debian package."""
    try:
        subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True)
    except OSError as error:
        raise SpeechError(f"festival is missing: apt-get install festival {package}") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise SpeechError(
            f"festival failed with {voice} ({said[-300:]}): apt-get install {package}"
        ) from error
