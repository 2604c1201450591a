"""Hold the evaluation's calls and count: right answers, word errors both ways, delays, silence."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from shared.audio import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Floats, Pcm16, floats_from_pcm16
from workers.engines.base import Engine
from workers.engines.cascade.parts import SpeechToText
from workers.evaluation.calls import OfflineCall, run_calls
from workers.evaluation.talk.cases import Case
from workers.evaluation.talk.rows import Row, SpokenCase, spoken
from workers.evaluation.transcript_errors import WordErrors, word_errors

BATCH: Final = 8  # replies that Whisper hears at once


@dataclass(frozen=True, slots=True)
class Verdict:
    """One call's last turn."""

    row: str
    name: str
    topic: str
    voice: str
    said: str
    transcript: str  # as the engine understood the question
    answer: str
    right: bool
    transcript_errors: int
    transcript_words: int
    read_back: str  # the reply's sound, as Whisper hears it
    read_back_errors: int
    read_back_words: int
    decided_s: float | None  # after the caller's last sample
    began_s: float | None
    reply_s: float


def measured_row(
    engine: Engine,
    judge: SpeechToText,
    row: Row,
    cases: Sequence[Case],
    note: Callable[[int], object],
) -> list[Verdict]:
    """Hold a row's calls, many at once, and judge their last answers."""
    callers = spoken(row, cases)
    calls = [
        OfflineCall(caller.said, row.mode, seed, caller.background, engine=engine)
        for seed, caller in enumerate(callers)
    ]
    run_calls(engine, calls, note)
    heard = read_back(judge, [call.answers[-1].pcm for call in calls])
    triples = zip(callers, calls, heard, strict=True)
    return [_verdict(row, caller, call, text) for caller, call, text in triples]


def _verdict(row: Row, caller: SpokenCase, call: OfflineCall, heard: str) -> Verdict:
    answer, case = call.answers[-1], caller.case
    transcript = word_errors(case.say[-1], answer.transcript)
    sound = word_errors(answer.text, heard)
    return Verdict(
        row=row.name,
        name=case.name,
        topic=case.topic,
        voice=str(caller.voice),
        said=case.say[-1],
        transcript=answer.transcript,
        answer=answer.text,
        right=case.accepts(answer.text),
        transcript_errors=transcript.errors,
        transcript_words=transcript.words,
        read_back=heard,
        read_back_errors=sound.errors,
        read_back_words=sound.words,
        decided_s=answer.decided_s,
        began_s=answer.began_s,
        reply_s=round(answer.pcm.size / SAMPLE_RATE_HZ, 2),
    )


def read_back(judge: SpeechToText, replies: Sequence[Pcm16]) -> list[str]:
    """The replies as Whisper hears them; "" for one without sound."""
    texts: list[str] = []
    for batch in (replies[at : at + BATCH] for at in range(0, len(replies), BATCH)):
        sounds: list[Floats] = [floats_from_pcm16(pcm)[: 29 * SAMPLE_RATE_HZ] for pcm in batch]
        audible = [at for at, sound in enumerate(sounds) if sound.size > CHUNK_SAMPLES]
        found = judge.transcribe([sounds[at] for at in audible]) if audible else []
        by_place = {at: one.text for at, one in zip(audible, found, strict=True)}
        texts += [by_place.get(at, "") for at in range(len(batch))]
    return texts


def totals(verdicts: Iterable[Verdict]) -> dict[str, WordErrors]:
    """Word errors of the questions' transcripts and of the replies read back."""
    heard, said = WordErrors(), WordErrors()
    for one in verdicts:
        heard += WordErrors(one.transcript_errors, one.transcript_words)
        if one.answer:
            said += WordErrors(one.read_back_errors, one.read_back_words)
    return {"transcripts": heard, "read back": said}


def write(path: Path, verdicts: Sequence[Verdict], more: dict[str, object]) -> None:
    """Every call and the figures, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {**more, "calls": [asdict(one) for one in verdicts]}
    path.write_text(json.dumps(body, indent=1) + "\n")
