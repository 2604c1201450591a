// @ts-check
import { Connection } from "./connection.js";

/**
 * The call's own thread, so that a busy page never delays a frame. It runs the connection, and has
 * ports to the capture worklet, the playback worklet and the page.
 */

/**
 * @typedef {import("./connection.js").SessionSettings} SessionSettings
 * @typedef {{open: {url: string, settings: SessionSettings, capture: MessagePort,
 *                   playback: MessagePort}}
 *   | {settings: Partial<SessionSettings>}
 *   | {control: "commit" | "cancel"}
 *   | {text: string}
 *   | {end: true}} ConnectionCommand from the page
 */

const CLOSE_MS = 2_000; // time for the socket's closing handshake

/** @type {Connection | null} */
let connection = null;

/** @param {MessageEvent<ConnectionCommand>} event */
self.onmessage = ({ data }) => {
  if ("open" in data) open(data.open);
  else if ("settings" in data) connection?.update(data.settings);
  else if ("control" in data) connection?.control({ type: data.control });
  else if ("text" in data) connection?.control({ type: "text", text: data.text });
  else connection?.hangUp();
};

/** @param {Extract<ConnectionCommand, {open: unknown}>["open"]} command */
function open({ url, settings, capture, playback }) {
  connection = new Connection(url, settings, {
    play: (frame) => playback.postMessage({ frame }, [frame.pcm.buffer]),
    clear: (generation) => playback.postMessage({ clear: generation }),
    reset: () => playback.postMessage({ reset: true }),
    emit,
  });
  capture.onmessage = (event) => connection?.sendAudio(new Int16Array(event.data));
  playback.onmessage = (event) => connection?.setPlayed(event.data.played);
}

self.addEventListener("online", () => connection?.retryNow());

/** @param {import("./connection.js").ConnectionEvent} event */
function emit(event) {
  self.postMessage(event);
  if ("over" in event) setTimeout(() => self.close(), CLOSE_MS);
}
