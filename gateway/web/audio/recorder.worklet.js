// @ts-check
/// <reference path="./worklet.d.ts" />

/**
 * Both sides of the call on one clock -> interleaved PCM16 (caller left, assistant right), posted
 * to the page a quarter of a second at a time.
 */

const BLOCK_S = 0.25;
const NOTHING = new Float32Array(128); // a render quantum

class Recorder extends AudioWorkletProcessor {
  #block = new Int16Array(2 * Math.round(BLOCK_S * sampleRate));
  #filled = 0;

  /** @param {Float32Array[][]} inputs one of two channels */
  process([[left = NOTHING, right = NOTHING]]) {
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
