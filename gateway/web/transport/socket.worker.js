// @ts-check
import { Line } from "./line.js";

/**
 * The call's own thread: the page's work never delays a frame. It holds the Line, with a port to
 * the capture worklet, one to the playback worklet, and the worker's own to the page.
 */

/**
 * @typedef {import("./wire.js").Mode} Mode
 * @typedef {{open: {url: string, mode: Mode | null, capture: MessagePort, playback: MessagePort}}
 *   | {mode: Mode} | {end: true}} LineOrder from the page
 */

const GOODBYE_MS = 2_000; // what the socket may take to close in order

/** @type {Line | null} */
let line = null;

/** @param {MessageEvent<LineOrder>} event */
self.onmessage = ({ data }) => {
  if ("open" in data) open(data.open);
  else if ("mode" in data) line?.setMode(data.mode);
  else line?.hangUp();
};

/** @param {Extract<LineOrder, {open: unknown}>["open"]} order */
function open({ url, mode, capture, playback }) {
  line = new Line(url, mode, {
    play: (frame) => playback.postMessage({ frame }, [frame.pcm.buffer]),
    clear: (generation) => playback.postMessage({ clear: generation }),
    reset: () => playback.postMessage({ reset: true }),
    tell,
  });
  capture.onmessage = (event) => line?.say(new Int16Array(event.data));
  playback.onmessage = (event) => line?.setPlayed(event.data.played);
}

/** @param {import("./line.js").News} news */
function tell(news) {
  self.postMessage(news);
  if ("over" in news) setTimeout(() => self.close(), GOODBYE_MS);
}
