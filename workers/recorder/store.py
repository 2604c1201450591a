"""Writes recordings: parts while a call goes on, then a stereo WAV and a transcript.

A folder of recordings has the layout of moshi-finetune, which `make finetune` takes: `data.jsonl`,
`calls/ID.wav` (left the assistant, right the caller) and `calls/ID.json`. A URL such as
s3://bucket/calls needs the fsspec package of its kind (s3fs). Parts always lie on a local disk.
"""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import fsspec
import msgpack
import numpy as np
import soundfile

from shared.audio import SAMPLE_BYTES, SAMPLE_RATE_HZ
from shared.errors import ConfigError
from shared.places import state_folder
from workers.recorder.assembly import Assembly, PlacedSound, Side

INDEX: Final = "data.jsonl"
CALLS: Final = "calls"
BLOCK_SAMPLES: Final = 60 * SAMPLE_RATE_HZ  # of a long call in memory at once
_FILES: Final = {Side.ASSISTANT: "assistant.pcm", Side.CALLER: "caller.pcm"}  # left, right
_STATE: Final = "state.msgpack"


@dataclass(frozen=True, slots=True)
class RecordingPart:
    """One call that is being recorded: raw PCM16 of each side, and where its assembly is."""

    folder: Path

    def save(
        self, assembly: Assembly, sounds: Iterable[PlacedSound], about: dict[str, Any]
    ) -> None:
        """Write audio to its place, then the state from which another process continues."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for side, name in _FILES.items():
            path = self.folder / name
            path.touch()
            with path.open("r+b") as file:
                for sound in sounds:
                    if sound.side is side:
                        file.seek(sound.start * SAMPLE_BYTES)
                        file.write(sound.pcm)
        made = self.folder / (_STATE + ".new")
        made.write_bytes(msgpack.packb({"assembly": assembly.state(), "about": about}))
        made.replace(self.folder / _STATE)

    def load(self) -> tuple[Assembly, dict[str, Any]]:
        """What `save` wrote last; an empty assembly if there is nothing."""
        path = self.folder / _STATE
        if not path.exists():
            return Assembly(), {}
        found = msgpack.unpackb(path.read_bytes(), strict_map_key=False)
        return Assembly.of(found["assembly"]), found["about"]

    def write_wav(self, path: Path) -> float:
        """Join both sides into a stereo WAV; its length in seconds."""
        sides = [np.fromfile(self.folder / name, dtype="<i2") for name in _FILES.values()]
        length = max(map(len, sides))
        with soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, len(sides), "PCM_16") as file:
            for start in range(0, length, BLOCK_SAMPLES):
                block = np.zeros((min(BLOCK_SAMPLES, length - start), len(sides)), np.int16)
                for channel, samples in enumerate(sides):
                    piece = samples[start : start + BLOCK_SAMPLES]
                    block[: len(piece), channel] = piece
                file.write(block)
        return length / SAMPLE_RATE_HZ


class RecordingStore:
    """A folder or URL of recordings."""

    def __init__(self, place: str) -> None:
        """Raises ConfigError if it cannot be written."""
        try:
            self._files, self._root = fsspec.core.url_to_fs(place)
            self._files.makedirs(f"{self._root}/{CALLS}", exist_ok=True)
        except (ImportError, OSError, ValueError) as error:
            # A URL may hold a password, and then the error's text may, too.
            what = type(error).__name__ if "@" in place else f"{place!r}: {error}"
            raise ConfigError(
                f"RECORD: Expected a folder or URL that can be written, got {what}"
            ) from None
        local = "://" not in place
        self._parts = Path(place) / "parts" if local else state_folder() / "recordings"

    def part(self, sid: str) -> RecordingPart:
        """The part of a call."""
        return RecordingPart(self._parts / sid)

    def unfinished(self) -> list[str]:
        """The calls that have parts."""
        return [path.name for path in self._parts.glob("*") if path.is_dir()]

    def finish(self, sid: str) -> None:
        """Write the recording of an ended call, and delete its parts."""
        part = self.part(sid)
        assembly, about = part.load()
        if assembly.samples:
            wav, transcript = part.folder / "call.wav", part.folder / "call.json"
            duration_s = part.write_wav(wav)
            transcript.write_text(json.dumps(_transcript(assembly) | about, ensure_ascii=False))
            for path in (wav, transcript):
                self._files.put_file(str(path), self._path(sid, path.suffix))
            line = {"path": f"{CALLS}/{sid}.wav", "duration": round(duration_s, 3)}
            self._write_index([*(e for e in self._index() if e["path"] != line["path"]), line])
        shutil.rmtree(part.folder, ignore_errors=True)

    def delete(self, sid: str) -> bool:
        """Delete all files of a call; return whether there were any."""
        part = self.part(sid).folder
        paths = [self._path(sid, suffix) for suffix in (".wav", ".json")]
        found = [path for path in paths if self._files.exists(path)]
        for path in found:
            self._files.rm(path)
        index = self._index()
        kept = [entry for entry in index if entry["path"] != f"{CALLS}/{sid}.wav"]
        if len(kept) < len(index):
            self._write_index(kept)
        found += [str(part)] if part.exists() else []
        shutil.rmtree(part, ignore_errors=True)
        return bool(found)

    def _path(self, sid: str, suffix: str) -> str:
        return f"{self._root}/{CALLS}/{sid}{suffix}"

    def _index(self) -> list[dict[str, Any]]:
        path = f"{self._root}/{INDEX}"
        if not self._files.exists(path):
            return []
        return [json.loads(line) for line in self._files.cat_file(path).splitlines() if line]

    def _write_index(self, entries: Iterable[dict[str, Any]]) -> None:
        text = "".join(json.dumps(entry) + "\n" for entry in entries)
        self._files.pipe_file(f"{self._root}/{INDEX}", text.encode())


def _transcript(assembly: Assembly) -> dict[str, Any]:
    """moshi-finetune's transcript, what the caller typed, and how many records were missed."""
    alignments = [
        [
            word.text,
            [round(word.start / SAMPLE_RATE_HZ, 3), round(word.end / SAMPLE_RATE_HZ, 3)],
            word.side,
        ]
        for word in assembly.words()
    ]
    typed = [[text, round(at / SAMPLE_RATE_HZ, 3)] for text, at in assembly.typed]
    return {"alignments": alignments, "typed": typed, "lost_records": assembly.lost}
