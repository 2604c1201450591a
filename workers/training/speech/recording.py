"""`make adapt DATA=folder ARGS=--record`: shows the prompts and records them one by one.

A prompt ends after a second without speech. Recordings are kept, so a half-read sheet continues at
the first missing prompt. The microphone needs PortAudio (Debian: libportaudio2).
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import repeat
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from shared.audio import CHUNK_MS, CHUNK_SAMPLES, SAMPLE_RATE_HZ, Pcm16
from shared.errors import ConfigError
from workers.audio.energy_vad import Vad

THRESHOLD: Final = 0.003  # of full scale; a quieter microphone is not turned up
BEFORE: Final = 400 // CHUNK_MS  # chunks kept before speech
PAUSE: Final = 1040 // CHUNK_MS  # chunks without speech that end a prompt
AFTER: Final = 160 // CHUNK_MS  # chunks kept after speech
SHORTEST: Final = 240 // CHUNK_MS  # chunks of speech in a prompt; a click has fewer
PATIENCE: Final = 10_000 // CHUNK_MS  # chunks to wait for the first word, and again for the last

Microphone = Callable[[], AbstractContextManager[Iterator[Pcm16]]]  # chunks of shape (1920,)


@contextmanager
def microphone() -> Iterator[Iterator[Pcm16]]:
    """Chunks of the system's default microphone. Raises ConfigError if there is none."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise ConfigError(
            f"Expected PortAudio to record with, got {error}: install libportaudio2, or record "
            "with any recorder and leave out --record"
        ) from error
    try:
        with sounddevice.InputStream(
            SAMPLE_RATE_HZ, blocksize=CHUNK_SAMPLES, channels=1, dtype="int16"
        ) as stream:
            yield (stream.read(CHUNK_SAMPLES)[0][:, 0].copy() for _ in repeat(None))
    except sounddevice.PortAudioError as error:
        raise ConfigError(
            f"Expected a microphone that records at 24 kHz, got {error}: connect one, or record "
            "with any recorder and leave out --record"
        ) from error


def utterance(chunks: Iterator[Pcm16]) -> Pcm16 | None:
    """The next utterance, with a little quiet around it; None if it does not come in time."""
    vad, before, said = Vad(), deque[Pcm16](maxlen=BEFORE), list[Pcm16]()
    spoken = quiet = 0
    for waited, chunk in enumerate(chunks):
        speech = any(vad.hear(chunk, THRESHOLD))
        spoken, quiet = spoken + speech, 0 if speech else quiet + 1
        if said or speech:
            said.append(chunk)
        else:
            before.append(chunk)
        if said and quiet >= PAUSE:
            if spoken >= SHORTEST:
                break
            before.extend(said)
            said, spoken = [], 0
        if waited >= 2 * PATIENCE or (not said and waited >= PATIENCE):
            return None
    return np.concatenate([*before, *said[: len(said) - quiet + AFTER]])


def record(
    folder: Path, sheet: list[tuple[str, str]], opened: Microphone, say: Callable[[str], None]
) -> None:
    """Record the missing files of a sheet of (file, text), one after the other."""
    missing = [(name, text) for name, text in sheet if not (folder / name).exists()]
    if not missing:
        return
    with opened() as chunks:
        say(f"Read {len(missing)} lines aloud, each when it appears. Ctrl-C stops; a new start")
        say("continues with the next line.")
        for number, (name, text) in enumerate(missing, 1):
            say(f"{number}/{len(missing)}  {text}")
            while (recorded := utterance(chunks)) is None:
                say("    Recorded no speech: is this the right microphone? Please read it again.")
            partial = (folder / name).with_suffix(".partial")
            soundfile.write(partial, recorded, SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
            partial.replace(folder / name)
