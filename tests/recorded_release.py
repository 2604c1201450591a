"""`python -m tests.recorded_release`: record what this release writes, for the next one's tests.

Run it at a release, before the format's number grows. It writes one snapshot of each moment of a
call, and every record of that call, as hexadecimal.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

import msgpack

from shared.log import records
from shared.log.records import Options, Played
from shared.modes import ReplyMode
from tests.sounds import silence, talking
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal

SHORT_BYTES: Final = 100  # audio and snapshots are longer
FILE: Final = Path(__file__).parent / "unit" / "workers" / "recorded_release.json"


def recorded(mode: ReplyMode) -> dict[str, Any]:
    """Two turns, the second of which begins before the first answer was heard."""
    call = Rehearsal(mode)
    call.say(Options(silence_ms=400))
    for sound in (silence(5), talking(20), silence(10)):
        call.run(*sound)
    call.run(Played(10), *talking(15))
    call.run(*silence(10), Played(40))
    states = [step.state for _, step in call.steps if isinstance(step, records.Step)]
    entries = [records.encode(record) for _, record in (*call.inputs, *call.steps, *call.outputs)]
    return {
        "snapshots": [
            state.hex() for state in {_moment(state): state for state in states}.values()
        ],
        "records": {name: value.hex() for name, value in entries if len(value) < SHORT_BYTES},
    }


def _moment(state: bytes) -> tuple[object, ...]:
    body = msgpack.unpackb(state)
    memory = body["memory"]
    parts = (body["context"], body["reply"], memory["answered"], memory["before"])
    return (body["phase"], *(part is None for part in parts))


def main() -> None:
    """Write the file, or the one that the command line names."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    body = {mode.value: recorded(mode) for mode in ReplyMode}
    path.write_text(json.dumps(body, indent=1) + "\n")


if __name__ == "__main__":
    main()
