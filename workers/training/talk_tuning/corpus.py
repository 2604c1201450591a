"""What is trained on: the conversations as tokens in batches, epoch by epoch, and those held out.

Each epoch reads the files again, so a corpus may grow while a run trains on it. The run's folder
keeps what an epoch found, and a resumed run continues with exactly that.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workers.models.llama.source import Source
from workers.training.talk_tuning import conversations
from workers.training.talk_tuning.conversations import Conversation
from workers.training.talk_tuning.packing import Batch, Piece, batch_of, parted, piece

SYSTEM_TEXT: Final = (
    "You are Antiphon, a friendly voice assistant. Answer in one or two short spoken sentences."
)
LONGEST: Final = 384  # tokens of a conversation; turns beyond are left out
BATCH_TOKENS: Final = 1536
HELD_OUT_MOST: Final = 200  # conversations


@dataclass(frozen=True, slots=True)
class Corpus:
    """The files, where an epoch's conversations are kept, and how they become tokens."""

    files: Sequence[Path]
    folder: Path
    source: Source
    seed: int
    batch_tokens: int = BATCH_TOKENS

    @property
    def system(self) -> list[int]:
        """The tokens of the system prompt."""
        return self.source.chat.system(SYSTEM_TEXT)

    def conversations(self, epoch: int) -> list[Conversation]:
        """The conversations of an epoch."""
        kept = self.folder / f"epoch-{epoch}.jsonl"
        if not kept.exists():
            found = conversations.read(self.files)
            conversations.write(kept, [one for one in found if not one.held_out])
        return conversations.read([kept])

    def held_out(self) -> list[Conversation]:
        """What no epoch trains on, the same from the run's beginning on."""
        kept = self.folder / "held-out.jsonl"
        if not kept.exists():
            found = [one for one in conversations.read(self.files) if one.held_out]
            random.Random(self.seed).shuffle(found)
            conversations.write(kept, found[:HELD_OUT_MOST])
        return conversations.read([kept])

    def batches(self, epoch: int) -> list[Batch]:
        """The epoch's batches, in its own order and spelling."""
        chance = random.Random(f"{self.seed}/{epoch}")
        found = self.conversations(epoch)
        chance.shuffle(found)
        return list(self._packed([self._piece(one, chance) for one in found]))

    def held_out_batches(self) -> list[Batch]:
        """The held-out conversations as written; only replies count."""
        return list(self._packed([self._piece(one, None) for one in self.held_out()]))

    def _piece(self, one: Conversation, chance: random.Random | None) -> Piece:
        chat, words = self.source.chat, self.source.tokenizer
        return piece(one, chat, words, LONGEST, chance)

    def _packed(self, pieces: Sequence[Piece]) -> Iterator[Batch]:
        system = self.system
        for part in parted([one for one in pieces if one.tokens], self.batch_tokens):
            yield batch_of(part, system)
