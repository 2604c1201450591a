"""The espeak-ng library in this process: it speaks texts, and pronounces words.

The library keeps global state, so this module is not thread-safe.
"""

import ctypes
from functools import cache
from typing import Any, Final

import numpy as np

from shared.audio import Floats
from workers.training.speech.speech_library import SpeechError, shared_library

WORDS_PER_MINUTE: Final = 170

_SYNCHRONOUS: Final = 2  # espeak_AUDIO_OUTPUT: AUDIO_OUTPUT_SYNCHRONOUS
_UTF8: Final = 1
_IPA: Final = 2  # phonememode
_RATE, _PITCH = 1, 3  # espeak_PARAMETER


class Espeak:
    """The library in synchronous mode; its callback collects the samples."""

    def __init__(self) -> None:
        self._lib = shared_library("libespeak-ng.so.1", "espeak-ng")
        self.rate_hz = int(self._lib.espeak_Initialize(_SYNCHRONOUS, 0, None, 0))
        if self.rate_hz <= 0:
            raise SpeechError("espeak-ng could not start: is espeak-ng-data installed?")
        self._parts: list[Floats] = []
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )
        self._callback = kind(self._collect)  # kept alive: the library holds only a pointer
        self._lib.espeak_SetSynthCallback(self._callback)
        self._lib.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._voice = ""

    def _collect(self, samples: Any, count: int, events: int | None) -> int:
        del events
        if samples and count > 0:
            self._parts.append(np.ctypeslib.as_array(samples, (count,)).astype(np.float32))
        return 0

    def _select(self, voice: str) -> None:
        if self._voice != voice:
            if self._lib.espeak_SetVoiceByName(voice.encode()) != 0:
                raise SpeechError(f"espeak-ng has no voice {voice!r}")
            self._voice = voice

    def say(self, voice: str, text: str, rate: float, pitch: float) -> Floats:
        """Float32 samples at `rate_hz`; `rate` and `pitch` scale the voice's own values."""
        self._select(voice)
        self._lib.espeak_SetParameter(_RATE, round(WORDS_PER_MINUTE * rate), 0)
        self._lib.espeak_SetParameter(_PITCH, min(99, round(50 * pitch)), 0)
        self._parts = []
        data = text.encode()
        size = ctypes.c_size_t(len(data) + 1)
        self._lib.espeak_Synth(data, size, 0, 0, 0, _UTF8, None, None)
        whole = np.concatenate([np.zeros(1, np.float32), *self._parts])
        return (whole / 32768.0).astype(np.float32)

    def ipa(self, voice: str, word: str) -> str:
        """The voice's pronunciation of one word, with stress marks."""
        self._select(voice)
        data = ctypes.create_string_buffer(word.encode())
        rest = ctypes.c_void_p(ctypes.addressof(data))  # the library sets it to NULL at the end
        parts: list[str] = []
        while rest.value:
            found = self._lib.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA)
            parts.append(found.decode())
        return "".join(parts)


@cache
def espeak() -> Espeak:
    """The library of this process. Raises SpeechError if it is not installed."""
    return Espeak()
