// @ts-check
import { Sound } from "./audio/sound.js";
import { codeOf } from "./words.js";

/**
 * One call: the sound and the line, put together. It ends once, and tells why.
 */

/**
 * @typedef {import("./audio/playback.worklet.js").PlaybackReport} PlaybackReport
 * @typedef {import("./transport/line.js").News} News
 * @typedef {import("./transport/wire.js").Mode} Mode
 * @typedef {import("./transport/wire.js").ServerMessage} ServerMessage
 *
 * @typedef {object} Listener
 * @property {(event: ServerMessage) => void} event from the server, as it arrives
 * @property {(level: number) => void} input
 * @property {(report: PlaybackReport) => void} output
 * @property {(ms: number) => void} answered from the end of the turn to the first audible sample
 * @property {(ms: number) => void} roundTrip
 * @property {(frames: number) => void} missing
 * @property {() => void} lost the connection; it is being brought back
 * @property {(code: string, retryAfterMs: number | null) => void} over
 *
 * @typedef {{url: URL, mode: Mode | null, processing: boolean, muted: boolean}} CallOptions
 */

export class Call {
  #listener;
  #sound;
  #over = false;
  /** @type {Worker | null} */
  #worker = null;
  /** @type {number | null} */
  #turnEndedAt = null; // milliseconds since the epoch

  /**
   * Must run inside the click.
   * @param {CallOptions} options
   * @param {Listener} listener
   */
  constructor(options, listener) {
    this.#listener = listener;
    this.#sound = new Sound({
      input: listener.input,
      output: listener.output,
      heard: (_generation, at) => this.#heard(at),
      unplugged: () => this.#end("unplugged"),
    });
    this.#open(options).catch((error) => this.#end(codeOf(error)));
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.#sound.setMuted(muted);
  }

  /** @param {Mode} mode */
  setMode(mode) {
    this.#worker?.postMessage({ mode });
  }

  /** The caller hangs up. */
  hangUp() {
    this.#end("ended");
  }

  /** @param {CallOptions} options */
  async #open({ url, mode, processing, muted }) {
    const { capture, playback } = await this.#sound.open(processing);
    if (this.#over) return;
    this.#sound.setMuted(muted);
    const script = new URL("transport/socket.worker.js", import.meta.url);
    this.#worker = new Worker(script, { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = () => this.#end("broken");
    const open = { url: url.href, mode, capture, playback };
    this.#worker.postMessage({ open }, [capture, playback]);
  }

  /** @param {News} news */
  #hear(news) {
    if (this.#over) return;
    if ("event" in news) this.#event(news.event, news.at);
    else if ("roundTripMs" in news) this.#listener.roundTrip(news.roundTripMs);
    else if ("missing" in news) this.#listener.missing(news.missing);
    else if ("lost" in news) this.#listener.lost();
    else this.#end(news.over.code, news.over.retryAfterMs);
  }

  /**
   * @param {ServerMessage} event
   * @param {number} at
   */
  #event(event, at) {
    if (event.type === "speech_stopped") this.#turnEndedAt = at;
    if (event.type === "speech_started") this.#turnEndedAt = null;
    this.#listener.event(event);
  }

  /** @param {number} at a reply's first audible sample */
  #heard(at) {
    if (this.#turnEndedAt !== null) this.#listener.answered(at - this.#turnEndedAt);
    this.#turnEndedAt = null;
  }

  /**
   * @param {string} code
   * @param {number | null} retryAfterMs
   */
  #end(code, retryAfterMs = null) {
    if (this.#over) return;
    this.#over = true;
    this.#worker?.postMessage({ end: true });
    this.#sound.close();
    this.#listener.over(code, retryAfterMs);
  }
}
