"""The engine of docs/engines.md runs, and its calls survive their worker."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from shared.log.records import ReplyStarted, Step
from shared.modes import ReplyMode
from tests.sounds import noise, silence
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal

GUIDE = Path(__file__).parents[4] / "docs" / "engines.md"


def humming() -> Any:
    """The page's engine."""
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "guide"}
    exec(code, names)  # noqa: S102 # the page's code is what this test is for
    return names["HummingEngine"](1)


def said(call: Rehearsal) -> list[bytes | None]:
    return [record.said for _, record in call.steps if isinstance(record, Step)]


def test_the_guides_engine_goes_on_after_every_death() -> None:
    sounds = [*silence(5), *noise(3), *silence(100), *noise(4), *silence(60)]
    whole, mortal = (Rehearsal(ReplyMode.STREAM, humming()) for _ in range(2))
    whole.run(*sounds)
    for number, chunk in enumerate(sounds):
        mortal.run(chunk)
        if number % 9 == 8:
            mortal.engine = humming()
            mortal.die()
    assert said(mortal) == said(whole)
    assert said(whole)[-1] == bytes([7])  # seven loud chunks
    assert whole.of(ReplyStarted) == [ReplyStarted(1, 1)]
    assert mortal.pcm == whole.pcm
    assert np.frombuffer(whole.pcm, "<i2").any()
