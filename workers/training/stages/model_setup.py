"""What the stages of the language model share: its vocabularies, sizes, listener and checks."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

import torch

from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, S2SConfig, base, tiny
from workers.models.speech_to_speech.vocabulary import Vocabulary
from workers.models.tokenizer.listener import Listener, load_listener
from workers.training.command_settings import ModelSettings
from workers.training.questions import follow_ups, spanish
from workers.training.questions.catalogue import (
    FAMILIES_IN,
    Split,
    questions_of,
    vocabulary_words,
)
from workers.training.questions.question_families import Language
from workers.training.questions.small_talk import NO_REPLY, UNKNOWN_REPLY
from workers.training.samples import spoken_turns
from workers.training.samples.spoken_turns import EncodedTurn
from workers.training.samples.text_turns import PhoneStates, collect
from workers.training.stages import checks
from workers.training.stages.caller_words import CallerVocabulary
from workers.training.stages.warm_start import warm_start

CODEBOOKS: Final = 8
PHONE_BATCHES: Final = 12  # batches of turns from which the states of each phone are collected


def reply_texts(families: Sequence[str]) -> list[str]:
    """Every reply that training may use for these families; empty: all."""
    every = [family for known in FAMILIES_IN.values() for family in known]
    taught = [f for f in every if not families or f.name in families]
    found = {q.reply: None for f in taught for q in questions_of(f, Split.TRAIN)}
    replies = follow_ups.follow_up_replies(tuple(f.name for f in taught))
    foreign = any(family.language is Language.SPANISH for family in taught)
    others = (spanish.UNKNOWN_REPLY, spanish.NO_CONTEXT_REPLY) if foreign else ()
    return [*found, UNKNOWN_REPLY, NO_REPLY, *replies, *others]


def make_config(
    preset: str, *, state_width: int, codebooks: int, texts: int, caller_words: int
) -> S2SConfig:
    """The sizes of a preset; raises ValueError on an unknown one."""
    if preset == "tiny":
        return tiny(state_width, texts, codebooks, caller_words)
    if preset == "base":
        return base(state_width, texts, caller_words)
    raise ValueError(f"Expected preset tiny or base, got {preset!r}")


class ModelSetup:
    """The listener, the vocabularies, the model's sizes, and the check utterances."""

    def __init__(self, settings: ModelSettings) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(11)
        self.settings = settings
        self.families = settings.planned.families
        self.listener: Listener = load_listener(settings.output).to(settings.device)
        self.vocabulary = Vocabulary(vocabulary_words())
        self.reply_texts = reply_texts(self.families)
        self.caller_vocabulary = CallerVocabulary(self.families)
        self.config = make_config(
            settings.preset,
            state_width=self.listener.config.width,
            codebooks=CODEBOOKS,
            texts=len(self.vocabulary),
            caller_words=len(self.caller_vocabulary),
        )

    @property
    def word_lists(self) -> dict[str, Sequence[str]]:
        """The words that rows of the model represent, by the facts' names."""
        return {"words": self.vocabulary.words, "caller_words": self.caller_vocabulary.words}

    def checks(self) -> dict[str, list[EncodedTurn]]:
        """The check utterances of each condition."""
        return self.checks_encoded_by(self.listener)

    def checks_encoded_by(self, listener: Listener) -> dict[str, list[EncodedTurn]]:
        """The check utterances of each condition, encoded by another listener."""
        checks.prepare(self.settings.runs, self.families)
        return checks.load(self.settings.runs, listener, self.families)

    def phone_states(self) -> PhoneStates:
        """The listener's states of each phone."""
        batches = list(islice(spoken_turns.turn_batches(5, self.families), PHONE_BATCHES))
        return collect(load_listener(self.settings.output), batches)

    def new_model(self) -> HybridS2S:
        """A new model on the device, started from finished weights if the settings name some."""
        model = HybridS2S(self.config)
        if self.settings.start is not None:
            warm_start(model, self.vocabulary, self.caller_vocabulary, self.settings.start)
        return model.to(self.settings.device)
