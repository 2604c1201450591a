"""What the caller's side sounds like just now: VAD, echo path and endpoint of one session."""

from typing import Any

from workers.models.echo_path import EchoPath
from workers.models.vad import Vad
from workers.runtime.endpoint import RUN_GAP_MS, Endpoint
from workers.runtime.turn import Chunk, Tuning


class Ear:
    """Hears every chunk of the caller, whatever the engine does."""

    def __init__(self) -> None:
        self._vad = Vad()
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
        return [self._vad.state(), self._endpoint.state(), self.run_n, self.echo.state()]

    @classmethod
    def restore(cls, state: list[Any]) -> "Ear":
        """The ear that gave this state."""
        ear = cls()
        vad, endpoint, ear.run_n, echo = state
        ear._vad, ear._endpoint = Vad.restore(vad), Endpoint.restore(endpoint)
        ear.echo.restore(echo)
        return ear
