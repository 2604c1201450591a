// @ts-check
import { Line } from "./line.js";

/**
 * The call's own thread: the page's work never delays a frame. It holds the Line, with a port to
 * the capture worklet, one to the playback worklet, and the worker's own to the page.
 */

/**
 * @typedef {import("./line.js").Wishes} Wishes
 * @typedef {{open: {url: string, wishes: Wishes, capture: MessagePort, playback: MessagePort}}
 *   | {wishes: Partial<Wishes>} | {control: "commit" | "cancel"} | {end: true}} LineOrder from the page
 */

const GOODBYE_MS = 2_000; // what the socket may take to close in order

/** @type {Line | null} */
let line = null;

/** @param {MessageEvent<LineOrder>} event */
self.onmessage = ({ data }) => {
  if ("open" in data) open(data.open);
  else if ("wishes" in data) line?.wish(data.wishes);
  else if ("control" in data) line?.control(data.control);
  else line?.hangUp();
};

/** @param {Extract<LineOrder, {open: unknown}>["open"]} order */
function open({ url, wishes, capture, playback }) {
  line = new Line(url, wishes, {
    play: (frame) => playback.postMessage({ frame }, [frame.pcm.buffer]),
    clear: (generation) => playback.postMessage({ clear: generation }),
    reset: () => playback.postMessage({ reset: true }),
    tell,
  });
  capture.onmessage = (event) => line?.say(new Int16Array(event.data));
  playback.onmessage = (event) => line?.setPlayed(event.data.played);
}

self.addEventListener("online", () => line?.hurry());

/** @param {import("./line.js").News} news */
function tell(news) {
  self.postMessage(news);
  if ("over" in news) setTimeout(() => self.close(), GOODBYE_MS);
}
