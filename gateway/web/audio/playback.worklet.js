// @ts-check
/// <reference path="./worklet.d.ts" />
import { JitterBuffer } from "./jitter-buffer.js";
import { fromPcm16, peak } from "./pcm.js";
import { Resampler } from "./resampler.js";

/**
 * Plays the frames that come from the socket's worker. Reports the playhead to the worker; and to
 * the page the level, the buffer's state and the first audible sample of each reply.
 */

const RATE = 24_000;
const PLAYED_S = 0.2; // between two reports of the playhead
const LEVEL_S = 0.04;
const AUDIBLE = 0.003; // -50 dB of full scale
const SPEAKING_S = 0.5; // a longer pause means that the voice has stopped

/**
 * @typedef {import("../transport/wire.js").Frame} Frame
 * @typedef {{frame: Frame} | {clear: number} | {reset: true}} PlaybackCommand from the worker
 * @typedef {{level: number, bufferMs: number, targetMs: number, underruns: number,
 *            skipped: number, played: number, speaking: boolean}} PlaybackReport
 * @typedef {{generation: number, at: number}} FirstSound of a reply; `at`: the context's time
 */

class Playback extends AudioWorkletProcessor {
  /** @type {MessagePort | null} */
  #socket = null;
  #buffer = new JitterBuffer(sampleRate);
  #resampler = new Resampler(RATE, sampleRate);
  #level = 0;
  #reportDue = 0;
  #playedDue = 0;
  #playedReported = 0;
  #audibleAt = -SPEAKING_S;
  #audibleGeneration = 0; // the newest one

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      this.#socket = /** @type {MessagePort} */ (data.socket);
      this.#socket.onmessage = (event) => this.#execute(event.data);
    };
  }

  /** @param {PlaybackCommand} command */
  #execute(command) {
    if ("frame" in command) return this.#push(command.frame);
    if ("clear" in command) this.#buffer.clear(command.clear);
    else this.#reset();
    this.#resampler = new Resampler(RATE, sampleRate);
    this.#audibleAt = -SPEAKING_S;
  }

  /** @param {Frame} frame */
  #push({ number, generation, last, pcm }) {
    const samples = this.#resampler.push(fromPcm16(pcm));
    this.#buffer.push({ number, generation, last, samples });
  }

  #reset() {
    this.#buffer.reset();
    this.#playedReported = 0;
    this.#audibleGeneration = 0;
  }

  /**
   * @param {unknown} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, outputs) {
    const [first, ...others] = outputs[0];
    this.#buffer.read(first);
    for (const other of others) other.set(first);
    this.#measure(peak(first));
    this.#reportPlayed();
    this.#report();
    return true;
  }

  /** @param {number} level this block's peak */
  #measure(level) {
    this.#level = Math.max(this.#level, level);
    if (level < AUDIBLE) return;
    this.#audibleAt = currentTime;
    const { generation } = this.#buffer;
    if (generation > this.#audibleGeneration) {
      this.#audibleGeneration = generation;
      this.port.postMessage({ firstSound: { generation, at: currentTime } });
    }
  }

  #reportPlayed() {
    const { played, empty } = this.#buffer;
    const due = currentTime >= this.#playedDue || empty;
    if (!due || played === this.#playedReported) return;
    this.#socket?.postMessage({ played });
    this.#playedReported = played;
    this.#playedDue = currentTime + PLAYED_S;
  }

  #report() {
    if (currentTime < this.#reportDue) return;
    const { bufferMs, targetMs, underruns, skipped, played } = this.#buffer;
    const speaking = currentTime - this.#audibleAt < SPEAKING_S;
    const level = this.#level;
    const report = { level, bufferMs, targetMs, underruns, skipped, played, speaking };
    this.port.postMessage({ report });
    this.#level = 0;
    this.#reportDue = currentTime + LEVEL_S;
  }
}

registerProcessor("playback", Playback);
