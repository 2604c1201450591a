"""`python -m workers.training.silent_tail`: stores Whisper's encoder states of silence.

Speaks six short questions and writes silent_tail.safetensors: the mean tail of the packaged
Whisper, and the questions themselves. Another Whisper computes its tail from them when it loads.
"""

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import ctranslate2
import numpy as np
import typer
from numpy.typing import NDArray
from safetensors.numpy import save as save_arrays

from shared.audio import Floats, pcm16_from_floats
from workers.models.recorded_files import put_file
from workers.models.speech_to_text.resample import to_16_khz
from workers.models.speech_to_text.silent_tail import FILE, FOLDER, computed_tail
from workers.models.speech_to_text.whisper import encoded
from workers.models.speech_to_text.whisper_folder import PACKAGE, PINNED, VERSION, packaged_whisper
from workers.training.speech.tts import SpeechJob, TtsVoice, speak

ASKED: Final = (
    (TtsVoice("flite", "cmu_us_slt"), "What is the capital of Norway?"),
    (TtsVoice("flite", "cmu_us_awb"), "Please tell me a short story."),
    (TtsVoice("flite", "cmu_us_rms"), "How many legs does a spider have?"),
    (TtsVoice("espeak", "gmw/en-US+f3"), "I would like to talk about music."),
    (TtsVoice("espeak", "gmw/en+m3"), "Why is the sky blue?"),
    (TtsVoice("espeak", "gmw/en-GB-x-rp+f2"), "Can you help me with my homework?"),
)
LICENCES: Final = {
    "model": f"{PACKAGE} {VERSION}: Whisper tiny.en (OpenAI, MIT)",
    "spoken": "made with flite (CMU, BSD-like) and espeak-ng (GPL-3.0, whose output is free)",
}


def made(spoken: list[Floats]) -> bytes:
    """Utterances at 16 kHz -> the file's bytes."""
    model = ctranslate2.models.Whisper(
        str(packaged_whisper()), device="cpu", compute_type="float32", intra_threads=1
    )

    arrays: dict[str, NDArray[Any]] = {
        "tail": computed_tail(spoken, partial(encoded, model)).astype(np.float16),
        "spoken": pcm16_from_floats(np.concatenate(spoken)),
        "ends": np.cumsum([len(said) for said in spoken]).astype(np.int64),
    }
    return save_arrays(arrays)


def main(
    folder: Annotated[Path, typer.Option(help="The folder that gets the file.")] = FOLDER,
) -> None:
    """Speak, encode, write the file and its record."""
    spoken = [to_16_khz(said) for said in speak([SpeechJob(voice, text) for voice, text in ASKED])]
    facts = {
        "made_by": "python -m workers.training.silent_tail",
        "model": PINNED["model.bin"],
        "spoken": [f"{voice}: {text}" for voice, text in ASKED],
        "licences": LICENCES,
    }
    put_file(folder, FILE, made(spoken), facts)


if __name__ == "__main__":
    typer.run(main)
