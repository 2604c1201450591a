"""Print the table of docs/benchmarks.md, section Echo: real replies and callers in simulated rooms.

Run it with `python -m tests.echo [--seeds N]`. It needs no sound card.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

import numpy as np

from shared.audio import pcm16_from_floats
from tests.echo.table import DELAYS_MS, GAINS_DB, Voices, markdown, measure
from workers.engines.hybrid.engine import HybridEngine
from workers.evaluation.calls import converse
from workers.training.speech.callers import UNSEEN_ESPEAK, UNSEEN_FESTIVAL
from workers.training.speech.tts import SpeechJob, TtsVoice, speak

WEIGHTS: Final = Path(__file__).parents[2] / "workers" / "weights" / "tiny"
QUESTIONS: Final = (
    "what is three plus four",
    "tell me a story",
    "what is the capital of france",
    "what day comes after monday",
    "count to ten",
    "who are you",
    "what can you do",
    "what is the opposite of hot",
)
CALLERS: Final = (
    *UNSEEN_ESPEAK[:6],
    TtsVoice("flite", "cmu_us_rms"),
    TtsVoice("flite", "cmu_us_slt"),
    TtsVoice("flite", "cmu_us_awb"),
    UNSEEN_FESTIVAL[0],
)
INTERRUPTIONS: Final = (
    "no wait stop please",
    "what about berlin then",
    "actually i meant something else",
    "can you say that again",
    "please be quiet for a moment",
    "one more question for you",
    "yes i know that already",
)


def voices() -> Voices:
    """The replies of the shipped voice to some questions, and callers of three engines."""
    engine = HybridEngine.load(WEIGHTS, len(QUESTIONS))
    asked = speak([SpeechJob(TtsVoice("espeak", "gmw/en-US+m3"), text) for text in QUESTIONS])
    replies = converse(engine, [pcm16_from_floats(question) for question in asked])
    callers = speak([SpeechJob(voice, text) for voice in CALLERS for text in INTERRUPTIONS])
    return Voices([np.asarray(reply.pcm) for reply in replies], callers)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6, help="rooms for each gain and delay")
    seeds = range(parser.parse_args().seeds)
    spoken = voices()
    rows = [measure(gain, delay, spoken, seeds) for gain in GAINS_DB for delay in DELAYS_MS]
    sys.stdout.write(markdown(rows) + "\n")


if __name__ == "__main__":
    main()
