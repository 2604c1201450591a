// @ts-check
/// <reference path="./worklet.d.ts" />
import { peak, toPcm16 } from "./pcm.js";
import { Resampler } from "./resampler.js";

/**
 * The microphone -> PCM16 blocks of 20 ms at 24 kHz, posted straight to the socket's worker.
 * Muted, the blocks go on and hold silence: the call's time never stops.
 */

const RATE = 24_000;
const BLOCK_SAMPLES = 480; // 20 ms
const LEVEL_S = 0.04; // between two levels posted to the page
const NO_INPUT = new Float32Array(128); // a render quantum

/** @typedef {{socket: MessagePort} | {muted: boolean}} CaptureOrder from the page */

class Capture extends AudioWorkletProcessor {
  /** @type {MessagePort | null} */
  #socket = null;
  #muted = false;
  #resampler = new Resampler(sampleRate, RATE);
  #block = new Float32Array(BLOCK_SAMPLES);
  #filled = 0;
  #level = 0;
  #levelDue = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#obey(data);
  }

  /** @param {CaptureOrder} order */
  #obey(order) {
    if ("socket" in order) this.#socket = order.socket;
    else this.#muted = order.muted;
  }

  /** @param {Float32Array<ArrayBuffer>[][]} inputs */
  process(inputs) {
    const input = inputs[0][0] ?? NO_INPUT;
    const samples = this.#resampler.push(this.#muted ? new Float32Array(input.length) : input);
    for (const sample of samples) {
      this.#block[this.#filled++] = sample;
      if (this.#filled === BLOCK_SAMPLES) this.#post();
    }
    this.#measure(samples);
    return true;
  }

  #post() {
    const { buffer } = toPcm16(this.#block);
    this.#socket?.postMessage(buffer, [buffer]);
    this.#filled = 0;
  }

  /** @param {Float32Array} samples */
  #measure(samples) {
    this.#level = Math.max(this.#level, peak(samples));
    if (currentTime < this.#levelDue) return;
    this.port.postMessage({ level: this.#level });
    this.#level = 0;
    this.#levelDue = currentTime + LEVEL_S;
  }
}

registerProcessor("capture", Capture);
