"""`make adapt DATA=folder ARGS=--record`: the prompts are shown and recorded one by one.

A prompt is over when nobody has spoken for a second. What is recorded is kept: a sheet that was
left half read goes on where it was. The microphone needs PortAudio (Debian: libportaudio2).
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

THRESHOLD: Final = 0.003  # of full scale: a microphone this side of it is not turned up
BEFORE: Final = 400 // CHUNK_MS  # chunks kept from before speech
PAUSE: Final = 1040 // CHUNK_MS  # chunks without speech that end a prompt
AFTER: Final = 160 // CHUNK_MS  # chunks kept from behind speech
SHORTEST: Final = 240 // CHUNK_MS  # chunks of speech: a click is none
PATIENCE: Final = 10_000 // CHUNK_MS  # chunks waited for the first word, and for the last

Microphone = Callable[[], AbstractContextManager[Iterator[Pcm16]]]  # chunks of shape (1920,)


@contextmanager
def microphone() -> Iterator[Iterator[Pcm16]]:
    """Chunks of the system's default microphone. Raises ConfigError where there is none."""
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
    """The next thing said, with a little quiet around it; None where nothing is said in time."""
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
    """Record what is missing of the sheet's (file, text), one after the other."""
    missing = [(name, text) for name, text in sheet if not (folder / name).exists()]
    if not missing:
        return
    with opened() as chunks:
        say(f"Read {len(missing)} lines aloud, each when shown. Ctrl-C stops; it goes on later.")
        for number, (name, text) in enumerate(missing, 1):
            say(f"{number}/{len(missing)}  {text}")
            while (heard := utterance(chunks)) is None:
                say("    Nothing was heard: is this the right microphone? Please read it again.")
            partial = (folder / name).with_suffix(".partial")
            soundfile.write(partial, heard, SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
            partial.replace(folder / name)
