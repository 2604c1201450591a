"""Decides whether the caller's speech over a reply ends the reply. Pure.

If the engine reads, the runtime asks it for the words of such speech. Then "yeah" leaves the reply
alone, "wait" ends it, and "of France" continues a question that was answered too soon. With other
engines the length of the speech decides.
"""

from typing import Final

from shared.audio import CHUNK_MS
from workers.runtime.conversation.asides import is_listening, means_stop
from workers.runtime.conversation.patience import UNFINISHED
from workers.runtime.conversation.state import Aside, State
from workers.runtime.conversation.step import Chunk, Draft

# Speech before the reply's first sound: longer than most "yeah"s (340 to 520 ms in 3 voices) and
# shorter than most words that continue a question ("of hot", "four is": 440 to 640 ms).
UNHEARD_MS: Final = 400
# A caller who chose less wants every sound to interrupt, so its words do not count.
LEAST_READ_MS: Final = 400
LONG: Final = 2  # times `interrupt_ms`: from here on speech interrupts, whatever its words are
ASIDE_OVER_MS: Final = (
    200  # of silence: short speech is over, and the engine is asked for its words
)
LEAD_CHUNKS: Final = 3  # read before the speech, since the VAD is late


def reads(state: State, *, asides: bool) -> bool:
    """Whether words decide. `asides`: the engine reads them."""
    return asides and state.tuning.interrupt_ms >= LEAST_READ_MS


def interrupts_from(state: State, *, early: bool, asides: bool) -> int:
    """The input record from which the caller's speech ends the reply; 0: it does not.

    `early`: the speech began so soon that it may belong to the turn that is being answered.
    """
    detector, aside, enough_ms = state.detector, state.aside, state.tuning.interrupt_ms
    unheard = early and _unheard(state)
    if not reads(state, asides=asides):
        least_ms = min(enough_ms, UNHEARD_MS) if unheard else enough_ms
        return detector.phrase_n if detector.phrase_ms >= least_ms else 0
    if detector.phrase_ms >= LONG * enough_ms:
        return detector.phrase_n
    if not aside.words or is_listening(aside.words):
        return 0
    long = aside.n == detector.phrase_n and detector.phrase_ms >= enough_ms
    more = unheard or (early and _sounds_unfinished(state))
    return aside.n if long or more or means_stop(aside.words) else 0


def ask_for_words(state: State, draft: Draft, chunk: Chunk, *, early: bool) -> None:
    """Ask the engine for the words of the current speech, when they may decide."""
    detector = state.detector
    known_ms = state.aside.asked_ms if state.aside.n == detector.phrase_n else 0
    enough_ms = state.tuning.interrupt_ms
    marks_ms = [enough_ms - CHUNK_MS, round(1.5 * enough_ms)]
    if early:
        marks_ms.append(UNHEARD_MS)
    if detector.silence_ms >= ASIDE_OVER_MS:
        marks_ms.append(max(state.tuning.min_speech_ms, known_ms + 1))
    if any(known_ms < mark_ms <= detector.phrase_ms for mark_ms in marks_ms):
        state.aside = Aside(detector.phrase_n, detector.phrase_ms)
        since = detector.phrase_n - LEAD_CHUNKS
        if early and state.context is not None:
            since = state.context.last + 1
        draft.aside = [each for each in (*state.ring, chunk) if each.n >= since]
        draft.aside_joins, draft.full = early, True


def holds(state: State) -> bool:
    """Whether the reply's first sound waits: no reply starts to sound while the caller speaks."""
    reply = state.reply
    unsaid = reply is not None and state.frame < reply.first
    return unsaid and state.armed and state.detector.phrase_ms > 0


def _unheard(state: State) -> bool:
    """Whether the current speech began before the caller heard any of the reply."""
    return state.reply is not None and not state.reply.played_frames(state.phrase_played)


def _sounds_unfinished(state: State) -> bool:
    """Whether the turn that is being answered sounded unfinished: it was answered too soon."""
    finished = state.context.finished if state.context else None
    return finished is not None and finished <= UNFINISHED
