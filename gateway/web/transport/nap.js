// @ts-check
/**
 * Notices that the machine slept: time passed by the clock on the wall in which no timer ran.
 *
 * The wall's clock, since the monotonic one stands still in sleep on some systems. A clock that is
 * set forward looks like sleep: what follows from it must do no harm.
 */
export class Nap {
  #everyMs;
  #now;
  #last;

  /**
   * @param {number} everyMs how often `tick` is called
   * @param {() => number} now milliseconds of the wall's clock
   */
  constructor(everyMs, now = () => Date.now()) {
    this.#everyMs = everyMs;
    this.#now = now;
    this.#last = now();
  }

  /** How many milliseconds were slept since the last tick; 0 where it only came late. */
  tick() {
    const now = this.#now();
    const gapMs = now - this.#last;
    this.#last = now;
    return gapMs > 3 * this.#everyMs ? gapMs : 0;
  }
}
