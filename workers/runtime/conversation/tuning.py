"""Holds the thresholds of one session's turns: the worker's settings and the caller's options."""

from dataclasses import dataclass, replace

from shared.log.records import Options, fields_of
from shared.modes import VadName


@dataclass(frozen=True, slots=True)
class Tuning:
    """The thresholds of one session; the caller may change all but `vad` during the call."""

    vad_threshold: float = 0.001  # RMS of full scale
    silence_ms: int | None = None  # that ends a turn; None: see patience.py
    min_speech_ms: int = 120  # that begins a turn
    interrupt_ms: int = 700  # that interrupts a reply; shorter speech ("yeah", "mm hmm") does not
    manual: bool = False  # push-to-talk
    interrupts: bool = True  # False: speech over a reply never interrupts it
    reports: bool = False  # push-to-talk: the log says where the caller stops speaking
    vad: VadName = VadName.ENERGY  # of a new session; a session keeps its VAD in a takeover

    def with_options(self, options: Options) -> "Tuning":
        """The tuning with these options applied; an option that is None changes nothing."""
        given = {name: value for name, value in fields_of(options).items() if value is not None}
        return replace(self, **given)
