"""docs/evaluation.md: tables of the figures, and sentences that are true whatever they are."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from workers.evaluation.goals import goals
from workers.evaluation.judge import CHOICES
from workers.training.questions.catalogue import HELD_OUT_ONE_IN
from workers.training.speech.callers import (
    TRAINED_ESPEAK,
    TRAINED_SPANISH,
    UNSEEN_ESPEAK,
    UNSEEN_SPANISH,
)

Data = dict[str, Any]
WEAK: Final = 0.7  # of the ceiling: families below it are named
# Sections that other commands write: they are kept as they are.
_FOREIGN: Final = re.compile(r"<!-- (\w+): begin -->.*?<!-- \1: end -->", re.DOTALL)

HEAD: Final = """# Evaluation of `{name}`

Each call asks spoken questions and listens to the answers: WAV in, WAV out, through the runtime's
VAD, turn logic and guard and the batched engine in one process (no sockets). **Right** means that
the reply's text is the expected one word for word AND that its audio, heard by pocketsphinx as a
forced choice among the {answers} answers likest to it, is that sentence: so every number, day and
name in it. The **ceiling** is the same judge on original recordings of such replies. {balance}
Intervals are Wilson's, 95 %.

All of it is synthetic speech. Nothing here says how people are understood.
"""

EVEN: Final = "Every family of questions has the same number of calls in a row."
UNEVEN: Final = (
    "A row's questions are drawn from a list that has every family of questions alike often."
)

SPLIT: Final = """## What was asked, and what was held out

- Asked are the families that these weights say they were taught: {intents} intents in
  {families_taught} families of English, in {phrasings} questions. One combination in {one_in} of
  each compositional family ({combinations} in all) and one or more phrasings of each family are in
  no training, with any voice.
- Trained voices: {trained} accent and speaker combinations of espeak-ng, flite kal, kal16, awb and
  slt. Unseen: {unseen} others of espeak-ng and flite rms, in no stage of training. Never heard as
  an engine: festival's diphone synthesiser; `ked` is a speaker found nowhere in training, `kal` is
  the speaker of flite's kal.
- Spanish: {spanish_intents} intents in {spanish_families} families, in {spanish_phrasings} trained
  questions, split as the English ones are. Trained voices: {spanish_trained} of espeak-ng (Spain's
  and Latin America's accents). Unseen: {spanish_unseen} others, 14 speakers that no stage of
  training heard in any language. `ked` speaks Spanish with English phones, an accent nobody was
  trained on. The listener learned the letters of English alone. The replies' recordings are the
  assistant's English voice saying Spanish words in the nearest English phones: an American accent,
  and r's that are never rolled. The recogniser that judges them has the words in the same phones,
  and all of the Spanish replies to choose from.
- Weights that do not say what they were taught are asked all that there is.
"""


def write_report(path: Path, found: Data) -> None:
    """Write docs/evaluation.md; sections between `<!-- x: begin -->` and `<!-- x: end -->` stay."""
    old = path.read_text() if path.exists() else ""
    kept = [match.group(0) for match in _FOREIGN.finditer(old)]
    path.write_text("\n".join([document(found), *(section + "\n" for section in kept)]))


def document(found: Data) -> str:
    """The whole text."""
    whole = found["share"] == 1
    head = HEAD.format(
        name=found["weights"]["name"], answers=CHOICES + 1, balance=EVEN if whole else UNEVEN
    )
    if not whole:
        asked = percent(found["share"])
        head += f"\nOf each row's questions {asked} were asked: intervals are wider for it.\n"
    split = SPLIT.format(
        one_in=HELD_OUT_ONE_IN,
        trained=len(TRAINED_ESPEAK),
        unseen=len(UNSEEN_ESPEAK),
        spanish_trained=len(TRAINED_SPANISH),
        spanish_unseen=len(UNSEEN_SPANISH),
        **found,
    )
    parts = [head, goals(found), _answers(found), _families(found), _turns(found), _silence(found)]
    parts += [_voice(found), _hearing(found), _vad(found), split, _made(found)]
    return "\n".join(parts)


def percent(share: float) -> str:
    """.981 -> 98 %"""
    return f"{100 * share:.0f} %"


def ranged(figures: Data) -> str:
    """Share and interval."""
    low, high = percent(figures["low"]), percent(figures["high"])
    return f"{percent(figures['share'])} ({low} to {high})"


def _table(head: str, lines: Sequence[str]) -> str:
    columns = head.count("|") - 1
    return "\n".join([head, "|" + "---|" * columns, *lines]) + "\n"


def _line(row: Data) -> str:
    right, text = row["right"], row["text"]
    return (
        f"| {row['name']} | {right['count']} | {percent(text['share'])} | **{ranged(right)}** "
        f"| {percent(row['ceiling'])} | {percent(row['of_ceiling'])} "
        f"| {percent(row['unsure']['share'])} | {percent(row['none']['share'])} |"
    )


ROWS: Final = (
    "| asked by | calls | text right | right (95 % interval) | ceiling | of the ceiling "
    "| did not catch it | no answer |"
)


def _answers(found: Data) -> str:
    lines = [_line(row) for row in found["rows"]]
    lost = [
        f"{name.partition(',')[0]} {data['points']:.1f} points (of {data['count']})"
        for name, data in found["lost_in_noise"].items()
    ]
    compared = f"Lost against the same questions by the same voices in quiet: {'; '.join(lost)}. "
    note = (compared if lost else "") + (
        "The noise lies under the whole call. `No question at all` is strings of words that the "
        "listener never heard: right is to say that they were not caught.\n"
    )
    plot = "![right answers](plots/evaluation_conditions.svg)\n"
    return "\n".join(["## Answers\n", _table(ROWS, lines), note, plot])


def _families(found: Data) -> str:
    groups = [row for row in found["groups"] if row["right"]["count"]]
    lines = [_line(row) for row in (*groups, found["known"], *found["second"])]
    weak = [
        f"{name} {percent(share['share'])}"
        for name, share in sorted(found["families"].items(), key=lambda item: item[1]["share"])
        if share["share"] < WEAK * found["ceiling"]
    ]
    count = len(found["families"])
    text = f"{len(weak)} of {count} families are below 70 % of the ceiling"
    text += f": {', '.join(weak)}.\n" if weak else ".\n"
    plot = "![families](plots/evaluation_families.svg)\n"
    title = "## Families, by voices never heard, of engines that were\n"
    return "\n".join([title, _table(ROWS, lines), text, plot])


def _turns(found: Data) -> str:
    over, decided, reply = found["interruptions"], found["decided_s"], found["reply_s"]
    streams = [
        f"| {name} | {data['answered_early']['count']} | {ranged(data['answered_early'])} "
        f"| {ranged(data['talked_over'])} | {data['began_s'].get('median', '-')} |"
        for name, data in found["streams"].items()
    ]
    head = "| | calls | answered before the end | heard before the end | began after, s (median) |"
    text = f"""A turn was decided to be over {decided.get("median")} s after the last sound
(median; 5 to 95 %: {decided.get("p5")} to {decided.get("p95")}); 0.6 s of that is the silence that
ends a turn. The first samples come with the model's step {found["steps"].get("median")} behind
that decision (0: the same step), and {found["head_s"].get("median")} s of them cannot be heard
yet. The vocoder looks {found["voice"]["delay_ms"]} ms ahead; the model waits for nothing else to
come.

Replies: median {reply.get("median")} s, 5 to 95 %: {reply.get("p5")} to {reply.get("p95")} s;
{percent(found["replies_from_2_s"]["share"])} of 2 s and more,
{percent(found["replies_over_6_s"]["share"])} over 6 s.

Interruptions ({over["in_time"]["count"]}): a reply fell silent in time (0.6 s after the caller's
first sound) in {ranged(over["in_time"])}, median {over["cleared_s"].get("median")} s; the question
that interrupted was answered right in {ranged(over["answered"])}.
"""
    plot = "![reply lengths](plots/evaluation_replies.svg)\n"
    return "\n".join(["## Turns\n", text, _table(head, streams), plot])


def _silence(found: Data) -> str:
    quiet = found["quiet"]
    vads = [name for name in quiet if name != "minutes"]
    lines = [
        f"| {kind} | " + " | ".join(_counts(quiet[vad]["kinds"][kind]) for vad in vads) + " |"
        for kind in quiet[vads[0]]["kinds"]
    ]
    lines.append("| all | " + " | ".join(_counts(quiet[vad]) for vad in vads) + " |")
    hours = ", ".join(f"{vad} {quiet[vad]['answers_an_hour']:g}" for vad in vads)
    text = (
        f"{quiet['minutes']:g} minutes for each VAD, in equal parts of each kind, from -60 to -25 "
        f"dBFS (speech is at -23). False answers an hour: {hours}. `VAD` chooses.\n"
    )
    head = "| turns begun, answers given | " + " | ".join(f"VAD={vad}" for vad in vads) + " |"
    return "\n".join(["## Silence and what is no speech\n", text, _table(head, lines)])


def _counts(data: Data) -> str:
    return f"{data['turns']}, {data['answers']}"


def _voice(found: Data) -> str:
    voice = found["voice"]
    wrong = [f"{100 * voice[key]:.1f} %" for key in ("word_errors_recorded", "word_errors")]
    return f"""## The assistant's voice

{voice["sentences"]} sentences through codec ({voice["codebooks"]} codebooks) and vocoder, streamed
as in service, against their own recordings: STOI {voice["stoi"]:.3f}, PESQ wide-band
{voice["pesq"]:.2f}. Words that free dictation (pocketsphinx) gets wrong: {wrong[0]} of the
recordings, {wrong[1]} behind the codec.
"""


def _hearing(found: Data) -> str:
    rough = [
        f"| {name} | {data['utterances']} | {percent(data['characters'] or 0)} "
        f"| {percent(data['words'] or 0)} | {percent(data['told'] or 0)} |"
        for name, data in found["transcript"].items()
    ]
    books = found["codebooks"]
    counts = list(next(iter(books.values())))
    coded = [
        f"| {name} | " + " | ".join(percent(rates[count]) for count in counts) + " |"
        for name, rates in books.items()
    ]
    heads = ["as in service", *(f"{count} codebooks" for count in counts[1:])]
    return "\n".join(
        [
            "## The caller's words as they were heard\n",
            "The listener's letters, decoded greedily, without a dictionary or a language model; "
            "and what callers are told in the end: the words of the language model's lower half, "
            "which knows those of trained questions only. Both are shown as rough.\n",
            _table("| | utterances | letters wrong | words of letters wrong | told wrong |", rough),
            "Callers are heard as they are, never through the codec, which knows the assistant's "
            "voice alone. What it would leave of them, in characters wrong:\n",
            _table("| | " + " | ".join(heads) + " |", coded),
        ]
    )


def _vad(found: Data) -> str:
    results = found["vad"]
    lines = []
    for snr_db in dict.fromkeys(result["snr_db"] for result in results):
        for vad in dict.fromkeys(result["vad"] for result in results):
            own = [r for r in results if r["snr_db"] == snr_db and r["vad"] == vad]
            delays = [r["end_delay_ms"] for r in own if r["end_delay_ms"] is not None]
            means = [
                sum(r[key] for r in own) / len(own)
                for key in ("f1", "missed_ends", "false_ends", "false_turns_min")
            ]
            delay = f"{sum(delays) / len(delays):.0f}" if delays else "-"
            lines.append(
                f"| {snr_db:g} dB | {vad} | {means[0]:.3f} | {delay} | {percent(means[1])} "
                f"| {means[2]:.2f} | {means[3]:.1f} |"
            )
    head = (
        "| noise | VAD | speech F1 | turn end after, ms | ends missed | false ends a turn "
        "| turns nobody began, a minute |"
    )
    text = "Means over white and pink noise, hum, keys and babble; each of them is in the plot.\n"
    plot = "![VADs](plots/evaluation_vad.svg)\n"
    return "\n".join(["## VADs\n", text, _table(head, lines), plot])


def _made(found: Data) -> str:
    how = "make evaluate" + (f' ARGS="--share {found["share"]:g}"' if found["share"] < 1 else "")
    return (
        f"Made by `{how}` in {found['minutes']:g} CPU minutes on {found['hardware']}. All figures "
        "are in `docs/evaluation.json`, each call's protocol in `runs/evaluation/calls.jsonl`.\n"
    )
