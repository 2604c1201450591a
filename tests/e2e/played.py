"""Every frame that the playback worklet gets, and every block that it plays.

The gateway serves two files with more code. Code before the worklet's file wraps its processor.
Code after the jitter buffer's file notes its input and output. Both run in the audio thread.
"""

from typing import Any, Final, NamedTuple

from playwright.sync_api import Page

from tests.e2e.fake_gateway import FakeGateway

_NOTES: Final = """
const { push, read, clear } = JitterBuffer.prototype;
globalThis.notes = [];
Object.assign(JitterBuffer.prototype, {
  push(entry) {
    globalThis.notes.push(["frame", entry.generation, entry.number]);
    push.call(this, entry);
  },
  read(out) {
    const before = this.bufferMs;
    read.call(this, out);
    if (this.bufferMs < before) globalThis.notes.push(["block", this.generation, currentFrame]);
  },
  clear(generation) {
    globalThis.notes.push(["clear", generation, currentFrame]);
    clear.call(this, generation);
  },
});
"""
_POST: Final = """
const define = globalThis.registerProcessor;
globalThis.registerProcessor = (name, Processor) => define(name, class extends Processor {
  process(...blocks) {
    if (globalThis.notes.length > 0) this.port.postMessage({ notes: globalThis.notes.splice(0) });
    return super.process(...blocks);
  }
});
"""
# Keeps the notes from the page's own handler of the worklet's messages.
_KEEP: Final = """
window.notes = [];
window.AudioWorkletNode = class extends AudioWorkletNode {
  constructor(...args) {
    super(...args);
    this.port.addEventListener("message", (event) => {
      if (!("notes" in event.data)) return;
      event.stopImmediatePropagation();
      window.notes.push(...event.data.notes);
    });
  }
};
"""


class Note(NamedTuple):
    """A frame that came, a block with samples of a reply, or a clear."""

    kind: str
    generation: int
    at: int  # a frame's number, else the audio thread's currentFrame


def note_playback(page: Page, gateway: FakeGateway) -> None:
    """From the next load on, note the worklet's input and output."""
    gateway.wrapped["audio/jitter-buffer.js"] = ("", _NOTES)
    gateway.wrapped["audio/playback.worklet.js"] = (_POST, "")
    page.add_init_script(_KEEP)


def played(page: Page) -> list[Note]:
    """All notes so far, in order."""
    notes: list[list[Any]] = page.evaluate("window.notes")
    return [Note(*note) for note in notes]
