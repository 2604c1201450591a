"""Detects when the caller speaks, by VAD, echo path and endpoint of one session."""

import logging
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from shared.errors import ConfigError
from shared.modes import VadName
from workers.audio.echo_path import TRUSTED, EchoPath
from workers.audio.endpointing import RUN_GAP_MS, Endpoint, Phrase
from workers.audio.energy_vad import Vad
from workers.audio.silero_vad import SileroVad
from workers.runtime.conversation.step import Chunk

log = logging.getLogger(__name__)

PROVED_MS: Final = 120  # of speech that cannot be the assistant's own voice

AnyVad: TypeAlias = Vad | SileroVad
VADS: Final[dict[VadName, type[Vad] | type[SileroVad]]] = {
    VadName.ENERGY: Vad,
    VadName.SILERO: SileroVad,
}


class SpeechDetector:
    """Takes every chunk of the caller, whatever the engine does."""

    def __init__(self, vad: AnyVad | None = None) -> None:
        self._vad = vad or Vad()
        self._endpoint = Endpoint()
        self._phrase = Phrase()
        self._proved = False  # the current phrase is the caller's
        self.echo = EchoPath()
        self.only_echo = False  # the newest chunk has speech, all of it the assistant's own
        self.run_n = 0  # the input record in which the current run of speech began
        self.phrase_n = 0  # and the current phrase
        self._state: dict[str, Any] | None = None  # without the echo's, since the last chunk

    def hear(self, chunk: Chunk, threshold: float) -> int:
        """Take one more chunk; return its longest run of the caller's speech, in ms.

        `threshold`: the RMS of full scale below which nothing is speech.
        """
        self._state = None
        speech = self._vad.hear(chunk.pcm, threshold)
        callers = self.echo.hear(chunk.pcm, speech=any(speech))
        frames = tuple(a and b for a, b in zip(speech, callers, strict=True))
        if self._endpoint.speech_ms == 0:
            self.run_n = chunk.n
        if self._phrase.speech_ms == 0:
            self.phrase_n = chunk.n
        # Without a known echo, speech that follows proved speech of the caller is the caller's.
        enough = self._phrase.speech_ms >= PROVED_MS and self.echo.trust < TRUSTED
        self._proved = self._phrase.speech_ms > 0 and (self._proved or enough)
        self._phrase.hear(speech if self._proved else frames)
        self.only_echo = any(speech) and not any(frames) and not self._proved
        return self._endpoint.hear(frames)

    @property
    def batched_vad(self) -> SileroVad | None:
        """The VAD, if it can take many callers' audio as one batch."""
        return self._vad if isinstance(self._vad, SileroVad) else None

    @property
    def onset(self) -> bool:
        """Whether speech may have begun: enough to start listening."""
        return self._endpoint.onset

    @property
    def phrase_ms(self) -> int:
        """How much speech the current phrase has; 0 without one."""
        return self._phrase.speech_ms

    @property
    def silence_ms(self) -> int:
        """Time since the last frame of speech."""
        return self._endpoint.silence_ms

    @property
    def paused(self) -> bool:
        """Whether no run of speech is going on."""
        return self._endpoint.silence_ms >= RUN_GAP_MS

    def forget_run(self) -> None:
        """Start a new run and a new phrase: earlier speech no longer counts."""
        self._state = None
        self._endpoint.forget_run()
        self._phrase = Phrase()

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as msgpack takes it.

        Where nothing hears the caller (echo in stream mode), most of it stays as it was.
        """
        if self._state is None:
            self._state = self._heard()
        return {**self._state, "echo": self.echo.state()}

    def _heard(self) -> dict[str, Any]:
        return {
            "kind": str(VadName.SILERO if self.batched_vad else VadName.ENERGY),
            "vad": self._vad.state(),
            "endpoint": self._endpoint.state(),
            "run_n": self.run_n,
            "phrase": {
                "n": self.phrase_n,
                "speech_ms": self._phrase.speech_ms,
                "silence_ms": self._phrase.silence_ms,
                "proved": self._proved,
            },
        }

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> "SpeechDetector":
        """The detector with this state, whatever VAD new sessions get here.

        If the state's VAD is not installed, the call continues with a new energy VAD.
        """
        try:
            detector = cls(VADS[VadName(state["kind"])].restore(state["vad"]))
        except ConfigError as error:
            log.warning("a session goes on with the energy VAD: %s", error)
            detector = cls()
        detector._endpoint = Endpoint.restore(state["endpoint"])
        phrase = state["phrase"]
        detector.run_n, detector.phrase_n = state["run_n"], phrase["n"]
        detector._phrase = Phrase(phrase["speech_ms"], phrase["silence_ms"])
        detector._proved = phrase["proved"]
        detector.echo.restore(state["echo"])
        return detector
