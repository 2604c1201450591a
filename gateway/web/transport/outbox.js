// @ts-check
import { SAMPLE_RATE } from "./wire.js";

/**
 * The caller's audio that the server has not acknowledged, so that a lost connection loses none of
 * it. Positions count samples from the start of the call.
 *
 * The bound is the burst that the server's rate limit allows after a stall. Beyond it the oldest
 * audio goes: a conversation wants what is said now, not what was said during an outage.
 */
export class Outbox {
  static LIMIT_SAMPLES = 2 * SAMPLE_RATE;

  /** @type {Int16Array<ArrayBuffer>[]} */
  #blocks = [];
  #first = 0; // the position of the oldest sample held
  #held = 0;

  /** How many samples wait for their acknowledgement. */
  get heldSamples() {
    return this.#held;
  }

  /**
   * Keep a block. Returns how many of the oldest samples were given up for it.
   * @param {Int16Array<ArrayBuffer>} block
   */
  push(block) {
    this.#blocks.push(block);
    this.#held += block.length;
    let dropped = 0;
    while (this.#held > Outbox.LIMIT_SAMPLES) dropped += this.#shift();
    return dropped;
  }

  /**
   * The server holds everything before this position.
   * @param {number} position
   */
  acknowledge(position) {
    while (this.#blocks.length > 0 && this.#first + this.#blocks[0].length <= position) {
      this.#shift();
    }
    const part = position - this.#first;
    if (this.#blocks.length > 0 && part > 0) {
      this.#blocks[0] = this.#blocks[0].slice(part);
      this.#first += part;
      this.#held -= part;
    }
  }

  /**
   * A resumed connection goes on at this position: what is held from there on is to be sent again.
   * When older audio was given up, what is left counts from this position instead.
   * @param {number} position
   * @returns {readonly Int16Array<ArrayBuffer>[]}
   */
  rewind(position) {
    this.acknowledge(position);
    this.#first = position;
    return this.#blocks;
  }

  #shift() {
    const block = /** @type {Int16Array} */ (this.#blocks.shift());
    this.#first += block.length;
    this.#held -= block.length;
    return block.length;
  }
}
