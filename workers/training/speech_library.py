"""The shared libraries of speech engines, and the error of an engine that does not speak."""

import ctypes


class SpeechError(RuntimeError):
    """An engine is not installed, or said nothing."""


def shared_library(name: str, package: str) -> ctypes.CDLL:
    """Load a library; raises SpeechError that names its Debian package."""
    try:
        return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise SpeechError(f"{name} is missing: apt-get install {package}") from error
