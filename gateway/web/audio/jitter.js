// @ts-check
import { peak } from "./pcm.js";

/**
 * The jitter buffer: frames arrive in bursts, samples leave evenly. It holds back a little before
 * a reply, holds back more after an underrun, takes that back after a quiet spell, and leaves out
 * silence when it runs late. All joins are faded. It knows no clock but the samples it gives.
 */

const TARGET_MS = 60; // 20 ms underruns even on loopback
const TARGET_STEP_MS = 20;
const TARGET_LIMIT_MS = 240;
const QUIET_SPELL_MS = 10_000; // without an underrun, the target shrinks a step
// The server sends 200 ms of a reply at once, so that much is no lateness.
const SPARE_MS = 220; // above the target: over-full
const LIMIT_MS = 2_000; // beyond, speech is left out too
const FADE_MS = 5;
const SILENCE = 0.003; // -50 dB of full scale

/**
 * `samples` at the buffer's rate; the other fields as on the wire.
 * @typedef {{number: number, generation: number, last: boolean,
 *            samples: Float32Array<ArrayBuffer>}} Entry
 */

export class Jitter {
  /** The last frame given out whole, or left out; 0 for none yet. */
  played = 0;
  underruns = 0;
  leftOut = 0;
  /** The generation of the sample given last. */
  generation = 0;

  /** @type {Entry[]} */
  #queue = [];
  #offset = 0; // into the queue's first entry
  #held = 0; // samples
  #holding = true; // waiting for the target
  #waited = 0;
  #sinceUnderrun = 0;
  #targetMs = TARGET_MS;
  #cleared = 0;
  #ended = true; // the last frame given was a reply's last: running dry is no underrun
  #gain = 0;
  #lastSample = 0;
  #tail = new Float32Array(0); // what fades out, mixed over what follows

  /** @param {number} rate in Hz */
  constructor(rate) {
    this.rate = rate;
    this.fade = this.#samples(FADE_MS);
  }

  get bufferMs() {
    return (1_000 * this.#held) / this.rate;
  }

  get targetMs() {
    return this.#targetMs;
  }

  /** Whether there is nothing left to give. */
  get empty() {
    return this.#queue.length === 0;
  }

  /** @param {Entry} entry */
  push(entry) {
    if (entry.generation <= this.#cleared) return;
    this.#queue.push(entry);
    this.#held += entry.samples.length;
    this.#catchUp();
  }

  /**
   * Nothing of this generation or an older one is played any more.
   * @param {number} generation
   */
  clear(generation) {
    this.#cleared = Math.max(this.#cleared, generation);
    if (this.#queue.length > 0 && this.#queue[0].generation <= generation) this.#cut();
    this.#queue = this.#queue.filter((entry) => entry.generation > generation);
    this.#held = this.#queue.reduce((sum, entry) => sum + entry.samples.length, -this.#offset);
    if (this.#queue.length === 0) this.#rest(true);
  }

  /** A new session: its generations count from 1 again. */
  reset() {
    this.clear(Number.MAX_SAFE_INTEGER);
    this.#cleared = 0;
    this.played = 0;
  }

  /**
   * Fill the block with what is due, silence where there is nothing.
   * @param {Float32Array} out
   */
  read(out) {
    out.fill(0);
    const tail = this.#tail; // now: what runs dry in this block leaves the next one's
    this.#tail = tail.slice(out.length);
    if (this.#due(out.length)) this.#give(out);
    // The last sample may have been a block's last: then the silence begins with this one.
    else if (!this.#holding) this.#runDry(out, 0);
    for (let i = 0; i < Math.min(tail.length, out.length); i++) out[i] += tail[i];
  }

  /** @param {number} count samples */
  #due(count) {
    if (this.#queue.length === 0) return false;
    this.#calm(count);
    if (!this.#holding) return true;
    this.#waited += count;
    const target = this.#samples(this.#targetMs);
    const whole = this.#queue.some((entry) => entry.last);
    this.#holding = !(whole || this.#held >= target || this.#waited >= 2 * target);
    return !this.#holding;
  }

  /** @param {Float32Array} out */
  #give(out) {
    let at = 0;
    while (at < out.length && this.#queue.length > 0) {
      const head = this.#queue[0];
      const count = Math.min(out.length - at, head.samples.length - this.#offset);
      for (let i = 0; i < count; i++) {
        this.#gain = Math.min(1, this.#gain + 1 / this.fade);
        out[at++] = this.#gain * head.samples[this.#offset++];
      }
      this.#held -= count;
      this.generation = head.generation;
      if (this.#offset === head.samples.length) this.#finish();
    }
    if (at > 0) this.#lastSample = out[at - 1];
    if (at < out.length) this.#runDry(out, at);
  }

  /**
   * @param {Float32Array} out
   * @param {number} at where the samples ended
   */
  #runDry(out, at) {
    const rest = Float32Array.from({ length: this.fade }, (_, i) => this.#fadeAt(i));
    out.set(rest.subarray(0, out.length - at), at);
    this.#trail(rest.slice(out.length - at));
    if (!this.#ended) {
      this.underruns += 1;
      this.#sinceUnderrun = 0;
      this.#targetMs = Math.min(TARGET_LIMIT_MS, this.#targetMs + TARGET_STEP_MS);
    }
    this.#rest(this.#ended);
  }

  /** @param {number} i samples after the last one */
  #fadeAt(i) {
    return this.#lastSample * (1 - (i + 1) / this.fade);
  }

  /** @param {boolean} ended */
  #rest(ended) {
    this.#holding = true;
    this.#waited = 0;
    this.#gain = 0;
    this.#ended = ended;
    this.#offset = 0;
  }

  /** The head is played whole, or is left out. */
  #finish() {
    const head = /** @type {Entry} */ (this.#queue.shift());
    this.played = Math.max(this.played, head.number);
    this.#ended = head.last;
    this.#offset = 0;
  }

  /** What comes next fades out over whatever takes its place. */
  #cut() {
    const { samples } = this.#queue[0];
    const next = samples.slice(this.#offset, this.#offset + this.fade);
    const gain = this.#gain;
    this.#trail(next.map((sample, i) => sample * gain * (1 - (i + 1) / next.length)));
    this.#gain = 0;
    this.#offset = 0;
  }

  /** @param {Float32Array<ArrayBuffer>} samples that fade out from the next one given on */
  #trail(samples) {
    const tail = this.#tail;
    const both = new Float32Array(Math.max(tail.length, samples.length));
    this.#tail = both.map((_, i) => (tail[i] ?? 0) + (samples[i] ?? 0));
  }

  /** Leave out what is silent of a buffer that is too full, and all that is beyond the limit. */
  #catchUp() {
    const full = this.#targetMs + SPARE_MS;
    for (let i = 1; i < this.#queue.length - 1 && this.bufferMs > full; i++) {
      if (!this.#queue[i].last && peak(this.#queue[i].samples) < SILENCE) {
        const [entry] = this.#queue.splice(i--, 1);
        this.#held -= entry.samples.length;
        this.leftOut += 1;
      }
    }
    while (this.bufferMs > LIMIT_MS) {
      const rest = this.#queue[0].samples.length - this.#offset;
      this.#cut();
      this.#held -= rest;
      this.leftOut += 1;
      this.#finish();
    }
  }

  /** @param {number} count samples that pass */
  #calm(count) {
    this.#sinceUnderrun += count;
    if (this.#sinceUnderrun < this.#samples(QUIET_SPELL_MS)) return;
    this.#sinceUnderrun = 0;
    this.#targetMs = Math.max(TARGET_MS, this.#targetMs - TARGET_STEP_MS);
  }

  /** @param {number} ms */
  #samples(ms) {
    return Math.round((this.rate * ms) / 1_000);
  }
}
