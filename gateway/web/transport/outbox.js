// @ts-check
import { SAMPLE_RATE } from "./wire.js";

/**
 * Keeps the caller's audio until the server acknowledges it, so that a lost connection loses none.
 * Positions count samples from the start of the call.
 *
 * The limit equals the burst that the server's rate limit allows after a stall. Beyond it the
 * oldest audio is dropped, because what the caller says now matters more in a conversation.
 */
export class Outbox {
  static LIMIT_SAMPLES = 2 * SAMPLE_RATE;

  /** @type {Int16Array<ArrayBuffer>[]} */
  #blocks = [];
  #first = 0; // the position of the oldest sample held
  #held = 0;

  /** The number of samples that are not acknowledged yet. */
  get heldSamples() {
    return this.#held;
  }

  /**
   * Add a block. Returns how many of the oldest samples were dropped for it.
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
   * A resumed connection continues at this position. Returns the audio to resend; if audio before
   * it was dropped, the rest takes its place and counts from this position.
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
