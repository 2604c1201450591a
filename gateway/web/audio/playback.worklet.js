// @ts-check
/// <reference path="./worklet.d.ts" />
import { Jitter } from "./jitter.js";
import { fromPcm16, peak } from "./pcm.js";
import { Resampler } from "./resampler.js";

/**
 * Frames from the socket's worker -> the speaker. Tells the worker what was played, and the page
 * how loud it is, how the buffer does, and when a reply is first heard.
 */

const RATE = 24_000;
const PLAYED_S = 0.2; // between two reports of the playhead
const LEVEL_S = 0.04;
const AUDIBLE = 0.003; // -50 dB of full scale
const SOUNDING_S = 0.5; // a pause this long, and the voice has stopped

/**
 * @typedef {import("../transport/wire.js").Frame} Frame
 * @typedef {{frame: Frame} | {clear: number} | {reset: true}} PlaybackOrder from the worker
 * @typedef {{level: number, bufferMs: number, targetMs: number, underruns: number,
 *            leftOut: number, played: number, sounding: boolean}} PlaybackReport
 * @typedef {{generation: number, at: number}} Heard a reply's first audible block, context seconds
 */

class Playback extends AudioWorkletProcessor {
  /** @type {MessagePort | null} */
  #socket = null;
  #jitter = new Jitter(sampleRate);
  #resampler = new Resampler(RATE, sampleRate);
  #level = 0;
  #reportDue = 0;
  #playedDue = 0;
  #playedTold = 0;
  #audibleAt = -SOUNDING_S;
  #heard = 0; // the last generation that was heard

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      this.#socket = /** @type {MessagePort} */ (data.socket);
      this.#socket.onmessage = (event) => this.#obey(event.data);
    };
  }

  /** @param {PlaybackOrder} order */
  #obey(order) {
    if ("frame" in order) this.#push(order.frame);
    else {
      if ("clear" in order) this.#jitter.clear(order.clear);
      else this.#forget();
      this.#resampler = new Resampler(RATE, sampleRate);
      this.#audibleAt = -SOUNDING_S;
    }
  }

  /** @param {Frame} frame */
  #push({ number, generation, last, pcm }) {
    const samples = this.#resampler.push(fromPcm16(pcm));
    this.#jitter.push({ number, generation, last, samples });
  }

  #forget() {
    this.#jitter.reset();
    this.#playedTold = 0;
    this.#heard = 0;
  }

  /**
   * @param {unknown} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, outputs) {
    const [first, ...others] = outputs[0];
    this.#jitter.read(first);
    for (const other of others) other.set(first);
    this.#listen(peak(first));
    this.#tellPlayed();
    this.#report();
    return true;
  }

  /** @param {number} loudness of this block */
  #listen(loudness) {
    this.#level = Math.max(this.#level, loudness);
    if (loudness < AUDIBLE) return;
    this.#audibleAt = currentTime;
    if (this.#jitter.generation > this.#heard) {
      this.#heard = this.#jitter.generation;
      this.port.postMessage({ heard: { generation: this.#heard, at: currentTime } });
    }
  }

  #tellPlayed() {
    const { played } = this.#jitter;
    const due = currentTime >= this.#playedDue || this.#jitter.empty;
    if (!due || played === this.#playedTold) return;
    this.#socket?.postMessage({ played });
    this.#playedTold = played;
    this.#playedDue = currentTime + PLAYED_S;
  }

  #report() {
    if (currentTime < this.#reportDue) return;
    const { bufferMs, targetMs, underruns, leftOut, played } = this.#jitter;
    const sounding = currentTime - this.#audibleAt < SOUNDING_S;
    const level = this.#level;
    const report = { level, bufferMs, targetMs, underruns, leftOut, played, sounding };
    this.port.postMessage({ report });
    this.#level = 0;
    this.#reportDue = currentTime + LEVEL_S;
  }
}

registerProcessor("playback", Playback);
