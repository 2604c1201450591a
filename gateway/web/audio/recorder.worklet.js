// @ts-check
/// <reference path="./worklet.d.ts" />

/**
 * Records both sides of the call on one clock as interleaved PCM16: caller left, assistant right.
 * It posts a quarter of a second at a time to the page.
 */

const BLOCK_S = 0.25;
const SILENCE = new Float32Array(128); // one render quantum

class Recorder extends AudioWorkletProcessor {
  #block = new Int16Array(2 * Math.round(BLOCK_S * sampleRate));
  #filled = 0;

  /** @param {Float32Array[][]} inputs one input with two channels */
  process([[left = SILENCE, right = SILENCE]]) {
    for (let i = 0; i < left.length; i++) {
      this.#block[this.#filled++] = toPcm16(left[i]);
      this.#block[this.#filled++] = toPcm16(right[i]);
      if (this.#filled === this.#block.length) this.#post();
    }
    return true;
  }

  #post() {
    this.port.postMessage({ block: this.#block.slice() });
    this.#filled = 0;
  }
}

/** @param {number} sample full scale is 1 */
function toPcm16(sample) {
  return Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768)));
}

registerProcessor("recorder", Recorder);
