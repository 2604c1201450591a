// @ts-check
/**
 * Detects that the machine slept: much time passed on the wall clock without a timer's run.
 *
 * It reads the wall clock because the monotonic one stops during sleep on some systems. A clock
 * that is set forward looks like sleep, so what follows from it must do no harm.
 */
export class SleepDetector {
  #everyMs;
  #now;
  #last;

  /**
   * @param {number} everyMs how often `tick` is called
   * @param {() => number} now the wall clock, in milliseconds
   */
  constructor(everyMs, now = () => Date.now()) {
    this.#everyMs = everyMs;
    this.#now = now;
    this.#last = now();
  }

  /** The milliseconds slept since the last tick; 0 if the tick is merely late. */
  tick() {
    const now = this.#now();
    const gapMs = now - this.#last;
    this.#last = now;
    return gapMs > 3 * this.#everyMs ? gapMs : 0;
  }
}
