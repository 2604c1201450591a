// @ts-check
import { peak } from "./pcm.js";

/**
 * The jitter buffer: frames arrive in bursts, samples leave evenly. It holds back a little audio
 * before a reply, more after an underrun, and less again after a calm spell. When it is too full it
 * skips silence. Every join is faded. Its only clock is the number of samples that it gives out.
 */

const TARGET_MS = 60; // 20 ms underruns even on loopback
const TARGET_STEP_MS = 20;
const TARGET_LIMIT_MS = 240;
const CALM_SPELL_MS = 10_000; // without an underrun, after which the target shrinks by a step
// Must exceed the 200 ms of a reply that the server sends at once.
const EXCESS_MS = 220; // above the target the buffer is too full
const LIMIT_MS = 2_000; // above this it skips speech, too
const FADE_MS = 5;
const SILENCE = 0.003; // -50 dB of full scale

/**
 * `samples` are at the buffer's rate; the other fields are those of the wire's frame.
 * @typedef {{number: number, generation: number, last: boolean,
 *            samples: Float32Array<ArrayBuffer>}} Entry
 */

export class JitterBuffer {
  /** The last frame that was played or skipped; 0 for none yet. */
  played = 0;
  underruns = 0;
  skipped = 0; // frames
  /** The generation of the last sample given out. */
  generation = 0;

  /** @type {Entry[]} */
  #queue = [];
  #offset = 0; // into the queue's first entry
  #held = 0; // samples
  #holding = true; // until the target is reached
  #waited = 0; // samples
  #sinceUnderrun = 0; // samples
  #targetMs = TARGET_MS;
  #cleared = 0; // the newest generation that must not be played
  #ended = true; // the last frame ended its reply: an empty queue is no underrun
  #gain = 0;
  #lastSample = 0;
  #tail = new Float32Array(0); // the end of a fade-out, mixed into what follows

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

  get empty() {
    return this.#queue.length === 0;
  }

  /** @param {Entry} entry */
  push(entry) {
    if (entry.generation <= this.#cleared) return;
    this.#queue.push(entry);
    this.#held += entry.samples.length;
    this.#skipExcess();
  }

  /**
   * Play nothing more of this generation and older ones.
   * @param {number} generation
   */
  clear(generation) {
    this.#cleared = Math.max(this.#cleared, generation);
    if (this.#queue.length > 0 && this.#queue[0].generation <= generation) this.#fadeOutHead();
    this.#queue = this.#queue.filter((entry) => entry.generation > generation);
    this.#held = this.#queue.reduce((sum, entry) => sum + entry.samples.length, -this.#offset);
    if (this.#queue.length === 0) this.#hold(true);
  }

  /** Start a new session. Its generations count from 1 again. */
  reset() {
    this.clear(Number.MAX_SAFE_INTEGER);
    this.#cleared = 0;
    this.played = 0;
  }

  /**
   * Fill the block with the samples that are due, and with silence where there are none.
   * @param {Float32Array} out
   */
  read(out) {
    out.fill(0);
    const tail = this.#tail; // before this block adds the tail of the next one
    this.#tail = tail.slice(out.length);
    if (this.#isDue(out.length)) this.#give(out);
    // The queue ran empty exactly at the end of the last block: fade out from this one's start.
    else if (!this.#holding) this.#runDry(out, 0);
    for (let i = 0; i < Math.min(tail.length, out.length); i++) out[i] += tail[i];
  }

  /** @param {number} count samples */
  #isDue(count) {
    if (this.#queue.length === 0) return false;
    this.#passTime(count);
    if (!this.#holding) return true;
    this.#waited += count;
    const target = this.#samples(this.#targetMs);
    const complete = this.#queue.some((entry) => entry.last);
    this.#holding = !(complete || this.#held >= target || this.#waited >= 2 * target);
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
      if (this.#offset === head.samples.length) this.#finishHead();
    }
    if (at > 0) this.#lastSample = out[at - 1];
    if (at < out.length) this.#runDry(out, at);
  }

  /**
   * @param {Float32Array} out
   * @param {number} at where the samples ended
   */
  #runDry(out, at) {
    const fade = Float32Array.from({ length: this.fade }, (_, i) => this.#fadeAt(i));
    out.set(fade.subarray(0, out.length - at), at);
    this.#addTail(fade.slice(out.length - at));
    if (!this.#ended) {
      this.underruns += 1;
      this.#sinceUnderrun = 0;
      this.#targetMs = Math.min(TARGET_LIMIT_MS, this.#targetMs + TARGET_STEP_MS);
    }
    this.#hold(this.#ended);
  }

  /** @param {number} i samples after the last one */
  #fadeAt(i) {
    return this.#lastSample * (1 - (i + 1) / this.fade);
  }

  /** @param {boolean} ended */
  #hold(ended) {
    this.#holding = true;
    this.#waited = 0;
    this.#gain = 0;
    this.#ended = ended;
    this.#offset = 0;
  }

  /** The first entry was played or skipped. */
  #finishHead() {
    const head = /** @type {Entry} */ (this.#queue.shift());
    this.played = Math.max(this.played, head.number);
    this.#ended = head.last;
    this.#offset = 0;
  }

  /** Fade out the first entry over whatever takes its place. */
  #fadeOutHead() {
    const { samples } = this.#queue[0];
    const next = samples.slice(this.#offset, this.#offset + this.fade);
    const gain = this.#gain;
    this.#addTail(next.map((sample, i) => sample * gain * (1 - (i + 1) / next.length)));
    this.#gain = 0;
    this.#offset = 0;
  }

  /** @param {Float32Array<ArrayBuffer>} samples a fade-out that begins with the next sample */
  #addTail(samples) {
    const tail = this.#tail;
    const both = new Float32Array(Math.max(tail.length, samples.length));
    this.#tail = both.map((_, i) => (tail[i] ?? 0) + (samples[i] ?? 0));
  }

  /** Skip silence when the buffer is too full, and anything above the limit. */
  #skipExcess() {
    const full = this.#targetMs + EXCESS_MS;
    for (let i = 1; i < this.#queue.length - 1 && this.bufferMs > full; i++) {
      if (!this.#queue[i].last && peak(this.#queue[i].samples) < SILENCE) {
        const [entry] = this.#queue.splice(i--, 1);
        this.#held -= entry.samples.length;
        this.skipped += 1;
      }
    }
    while (this.bufferMs > LIMIT_MS) {
      const rest = this.#queue[0].samples.length - this.#offset;
      this.#fadeOutHead();
      this.#held -= rest;
      this.skipped += 1;
      this.#finishHead();
    }
  }

  /** @param {number} count samples */
  #passTime(count) {
    this.#sinceUnderrun += count;
    if (this.#sinceUnderrun < this.#samples(CALM_SPELL_MS)) return;
    this.#sinceUnderrun = 0;
    this.#targetMs = Math.max(TARGET_MS, this.#targetMs - TARGET_STEP_MS);
  }

  /** @param {number} ms */
  #samples(ms) {
    return Math.round((this.rate * ms) / 1_000);
  }
}
