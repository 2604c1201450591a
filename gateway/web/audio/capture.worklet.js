// @ts-check
/// <reference path="./worklet.d.ts" />
import { peak, toPcm16 } from "./pcm.js";
import { Resampler } from "./resampler.js";

/**
 * Turns the microphone's samples into PCM16 blocks of 20 ms at 24 kHz, and posts them directly to
 * the socket's worker. A muted microphone sends silent blocks: the call's time counts samples.
 */

const RATE = 24_000;
const BLOCK_SAMPLES = 480; // 20 ms
const LEVEL_S = 0.04; // between two level reports to the page
const NO_INPUT = new Float32Array(128); // one render quantum

/** @typedef {{socket: MessagePort} | {muted: boolean}} CaptureCommand from the page */

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
    this.port.onmessage = ({ data }) => this.#execute(data);
  }

  /** @param {CaptureCommand} command */
  #execute(command) {
    if ("socket" in command) this.#socket = command.socket;
    else this.#muted = command.muted;
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
