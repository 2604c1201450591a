"""Runs the cascade's evaluation: docs/evaluation.md and docs/evaluation-cascade.json."""

import datetime
import platform
from pathlib import Path
from typing import Final

from shared.modes import VadName
from shared.settings import load_settings
from workers.engines import load_engine
from workers.evaluation.non_speech import false_answers
from workers.evaluation.progress_bar import ProgressBar
from workers.evaluation.talk.asked_in_training import sorted_out
from workers.evaluation.talk.cases import written_cases
from workers.evaluation.talk.families import family_cases
from workers.evaluation.talk.measure import Verdict, measured_row, write
from workers.evaluation.talk.report import place, section
from workers.evaluation.talk.rows import ROWS
from workers.models.speech_to_text.whisper import load_whisper

EACH: Final = 4  # questions of a family
MINUTES: Final = 60.0  # of silence, noise and music
CALLS: Final = 8  # at once
QUICK: Final = 6  # a quick run asks so many times fewer


def main(output: Path, runs: Path, *, quick: bool, share: float) -> None:
    """Hold all calls of the default engine as it is set; write the report."""
    settings = load_settings({"ENGINE": "cascade", "WORKER_SLOTS": str(CALLS)})
    engine = load_engine(settings)
    judge = load_whisper()
    part = share / QUICK if quick else share
    cases = [*sorted_out(written_cases()), *family_cases(EACH)]
    kept = [case for at, case in enumerate(cases) if int(at * part) != int((at + 1) * part)]
    progress = ProgressBar(sum(len(row.picked(kept)) for row in ROWS) + round(MINUTES * part))
    verdicts: list[Verdict] = []
    for row in ROWS:
        progress.say(row.name)
        verdicts += measured_row(engine, judge, row, kept, progress.add)
    quiet = false_answers(engine, MINUTES * part, (VadName.ENERGY,), progress)
    asked = "--quick" if quick else f"--share {share:g}"
    made = {
        "command": f"python -m workers.evaluation talk {asked}",
        "machine": machine(),
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    }
    folder = runs / "evaluation" if quick else output / "docs"
    write(folder / "evaluation-cascade.json", verdicts, {"silence": quiet, **made})
    place(folder / "evaluation.md", section(verdicts, quiet, made))


def machine() -> str:
    """The CPU's name, as /proc has it, and the cores."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = " ".join(line for line in lines if line.startswith("flags"))
    has = [name for name in ("avx2", "avx512f", "amx_bf16") if name in flags]
    name = names[0] if names else platform.machine()
    return f"{len(names) or '?'} cores of {name} ({', '.join(has)})"
