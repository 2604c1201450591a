// @ts-check
/**
 * A streaming windowed-sinc resampler, for browsers that cannot connect a microphone to a 24 kHz
 * AudioContext (Firefox). Any chunking gives the same output. It delays by ZERO_CROSSINGS samples
 * of the slower rate, which is 0.7 ms at 24 kHz.
 */

const ZERO_CROSSINGS = 16; // per side; with the Blackman window the stop band is below -70 dB
const PHASES = 256; // table entries between two zero crossings, linearly interpolated
const PASS_BAND = 0.92; // of the slower rate's Nyquist frequency; the rest is the transition band

export class Resampler {
  #step;
  #cutoff;
  #reach;
  #table = kernel();
  #position;
  /** @type {Float32Array<ArrayBuffer>} */
  #kept;

  /**
   * @param {number} fromHz
   * @param {number} toHz
   */
  constructor(fromHz, toHz) {
    this.#step = fromHz / toHz;
    this.#cutoff = Math.min(1, toHz / fromHz) * PASS_BAND;
    this.#reach = Math.ceil(ZERO_CROSSINGS / this.#cutoff);
    this.#position = this.#reach;
    this.#kept = new Float32Array(this.#reach); // silence before the first sample
  }

  /**
   * @param {Float32Array<ArrayBuffer>} input
   * @returns {Float32Array<ArrayBuffer>} the samples that are due.
   */
  push(input) {
    if (this.#step === 1) return input.slice();
    const samples = join(this.#kept, input);
    const due = Math.ceil((samples.length - this.#reach - this.#position) / this.#step);
    const output = new Float32Array(Math.max(0, due));
    for (let i = 0; i < output.length; i++) {
      output[i] = this.#at(samples, this.#position + i * this.#step);
    }
    const next = this.#position + output.length * this.#step;
    const drop = Math.max(0, Math.floor(next) - this.#reach);
    this.#kept = samples.slice(drop);
    this.#position = next - drop;
    return output;
  }

  /**
   * @param {Float32Array} samples
   * @param {number} position fractional, at least #reach from both ends
   */
  #at(samples, position) {
    const first = Math.ceil(position - this.#reach);
    const last = Math.floor(position + this.#reach);
    let sum = 0;
    for (let i = first; i <= last && i < samples.length; i++) {
      sum += samples[i] * this.#tap(Math.abs(position - i) * this.#cutoff);
    }
    return sum * this.#cutoff;
  }

  /** @param {number} distance in zero crossings, at least 0 */
  #tap(distance) {
    if (distance >= ZERO_CROSSINGS) return 0;
    const place = distance * PHASES;
    const entry = Math.floor(place);
    return this.#table[entry] + (place - entry) * (this.#table[entry + 1] - this.#table[entry]);
  }
}

/** Half of a Blackman-windowed sinc, from its center outwards. */
function kernel() {
  const table = new Float32Array(ZERO_CROSSINGS * PHASES + 2);
  table[0] = 1;
  for (let i = 1; i < ZERO_CROSSINGS * PHASES; i++) {
    const x = (Math.PI * i) / PHASES;
    const w = (Math.PI * i) / (ZERO_CROSSINGS * PHASES);
    table[i] = (Math.sin(x) / x) * (0.42 + 0.5 * Math.cos(w) + 0.08 * Math.cos(2 * w));
  }
  return table;
}

/**
 * @param {Float32Array} first
 * @param {Float32Array} second
 */
function join(first, second) {
  const both = new Float32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
