"""Declares the choices that settings, the log and the WebSocket share, as enumerations."""

from enum import StrEnum
from typing import Final

# The silence that ends a turn if nobody set one and the engine does not choose one.
DEFAULT_SILENCE_MS: Final = 600


class ReplyMode(StrEnum):
    """How a session takes turns; a caller may switch it during the call."""

    STREAM = "stream"  # full duplex: the model decides when to speak
    TURN = "turn"  # the VAD, or an explicit commit, ends the caller's turn


class EngineName(StrEnum):
    """What a worker runs."""

    CASCADE = "cascade"  # Whisper, a language model and a voice, one after the other
    ECHO = "echo"  # plays the caller's audio back; needs no torch; transport tests rely on it
    HYBRID = "hybrid"  # the speech-to-speech model
    MOSHI = "moshi"  # Moshi or PersonaPlex, from their published weights


class MoshiPrecision(StrEnum):
    """How the weights of Moshi's linear layers are held."""

    FULL = "full"  # in the model's number format
    INT8 = "int8"
    FP8 = "fp8"  # multiplied in fp8 as well; needs a GPU that has it


class VadName(StrEnum):
    """How a worker tells speech from other sound."""

    ENERGY = "energy"  # by loudness and pitch; has no dependency
    SILERO = "silero"  # by a trained network; needs the `silero` extra


class VocoderName(StrEnum):
    """What turns the assistant's mel frames into audio."""

    AUTO = "auto"  # the public HiFi-GAN if its file is in MODEL_CACHE_DIR, else our own
    OWN = "own"
    HIFIGAN = "hifigan"
