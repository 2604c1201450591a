"""Synthesises the speech that training keeps on disk: the assistant's and test callers'."""

from workers.training.command_settings import CorpusSettings
from workers.training.speech import assistant, callers


def main(settings: CorpusSettings) -> None:
    """Make what is missing or out of date."""
    plan = settings.planned
    callers.main(settings.runs)
    assistant.main(settings.runs, plan.corpus, plan.families)
