"""Reads the recording to speak and saves the reply; each failure has its own message."""

from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from client.failure import CallFailed
from shared.audio import Pcm16

HEADLESS: Final = (".raw", ".pcm")  # a file that does not say its rate


def read_question(path: Path) -> tuple[NDArray[np.float32], int]:
    """Mono float32 in [-1, 1] and its rate in Hz. Raises CallFailed."""
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no file"
        raise CallFailed(f"Expected a sound file, got {what} at {path}")
    if path.suffix.lower() in HEADLESS:
        raise CallFailed(
            f"Expected a sound file that says its sample rate, such as WAV, got {path}"
        )
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, TypeError, ValueError, OSError) as error:
        raise CallFailed(f"Expected a sound file, got {path}: {error}") from error
    if not len(samples):
        raise CallFailed(f"Expected sound in {path}, got a file without a sample")
    return samples.mean(axis=1), rate_hz


class ReplyFile:
    """Where the reply goes. It is checked before the call, so that no reply is lost."""

    def __init__(self, path: Path, question: Path) -> None:
        """Raises CallFailed when no reply could be saved there."""
        self.path = path
        self._format = path.suffix[1:].upper()
        known = soundfile.available_formats()
        if self._format not in known:
            wanted = ", ".join(f".{name.lower()}" for name in ("WAV", "FLAC", "OGG", "MP3"))
            raise CallFailed(f"Expected a reply file such as {wanted}, got {path}")
        if not path.parent.is_dir():
            raise CallFailed(f"Expected a folder for the reply, got {path.parent}: make it first")
        if path.exists() and path.samefile(question):
            raise CallFailed(f"Expected another file for the reply than the question, got {path}")
        self._try_to_write()

    def save(self, samples: Pcm16, rate_hz: int) -> None:
        """Write the reply. Raises CallFailed, for example when the disk is full."""
        fits = soundfile.check_format(self._format, "PCM_16")
        try:
            soundfile.write(
                self.path,
                samples,
                rate_hz,
                subtype="PCM_16" if fits else None,
                format=self._format,
            )
        except (soundfile.SoundFileError, ValueError, OSError) as error:
            raise self._unwritable(error) from error

    def _try_to_write(self) -> None:
        """Open the file without changing it. Raises CallFailed."""
        is_new = not self.path.exists()
        try:
            with self.path.open("ab"):
                pass
        except OSError as error:
            raise self._unwritable(error) from error
        if is_new:
            self.path.unlink()

    def _unwritable(self, error: Exception) -> CallFailed:
        reason = error.strerror if isinstance(error, OSError) else error
        return CallFailed(f"Expected to write the reply to {self.path}, got: {reason}")
