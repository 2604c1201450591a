"""What the caller's side sounds like just now: VAD, echo path and endpoint of one session."""

import logging
from typing import Any, Final, TypeAlias

from shared.errors import ConfigError
from shared.modes import VadName
from workers.audio.echo_path import EchoPath
from workers.audio.endpointing import RUN_GAP_MS, Endpoint
from workers.audio.energy_vad import Vad
from workers.audio.silero_vad import SileroVad
from workers.runtime.conversation.turn import Chunk, Tuning

log = logging.getLogger(__name__)

AnyVad: TypeAlias = Vad | SileroVad
VADS: Final[dict[VadName, type[Vad] | type[SileroVad]]] = {
    VadName.ENERGY: Vad,
    VadName.SILERO: SileroVad,
}


class Ear:
    """Hears every chunk of the caller, whatever the engine does."""

    def __init__(self, vad: AnyVad | None = None) -> None:
        self._vad = vad or Vad()
        self._endpoint = Endpoint()
        self.echo = EchoPath()
        self.run_n = 0  # the input record in which the present run of speech began

    def hear(self, chunk: Chunk, tuning: Tuning) -> int:
        """One more chunk; the longest run of the caller's speech within it, in ms."""
        speech = self._vad.hear(chunk.pcm, tuning.vad_threshold)
        callers = self.echo.hear(chunk.pcm, speech=any(speech))
        frames = tuple(a and b for a, b in zip(speech, callers, strict=True))
        if self._endpoint.speech_ms == 0:
            self.run_n = chunk.n
        return self._endpoint.hear(frames)

    @property
    def trained(self) -> SileroVad | None:
        """The VAD, if it is one that hears many callers as one batch."""
        return self._vad if isinstance(self._vad, SileroVad) else None

    @property
    def onset(self) -> bool:
        """Speech has begun, perhaps: enough to start listening."""
        return self._endpoint.onset

    @property
    def silence_ms(self) -> int:
        """Since the last frame of speech."""
        return self._endpoint.silence_ms

    @property
    def paused(self) -> bool:
        """No run of speech is going on."""
        return self._endpoint.silence_ms >= RUN_GAP_MS

    def forget_run(self) -> None:
        """What was said so far begins no run any more."""
        self._endpoint.forget_run()

    def state(self) -> list[Any]:
        """What `restore` needs, as msgpack takes it."""
        kind = str(VadName.SILERO if self.trained else VadName.ENERGY)
        echo = self.echo.state()
        return [self._vad.state(), self._endpoint.state(), self.run_n, echo, kind]

    @classmethod
    def restore(cls, state: list[Any]) -> "Ear":
        """The ear that gave this state, whatever the VAD of new sessions is here.

        Where its VAD is not installed the call goes on with the other, from anew.
        """
        vad, endpoint, run_n, echo, *kind = state  # logs of older workers know one kind of VAD
        restore = VADS[VadName(kind[0])].restore if kind else Vad.restore
        try:
            ear = cls(restore(vad))
        except ConfigError as error:
            log.warning("a session goes on with the energy VAD: %s", error)
            ear = cls()
        ear._endpoint, ear.run_n = Endpoint.restore(endpoint), run_n
        ear.echo.restore(echo)
        return ear
