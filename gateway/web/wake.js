// @ts-check
/**
 * Keeps the screen awake in a call, where the browser can. It lets go by itself when the page is
 * hidden; so it is asked for again when the page is seen.
 */
export class Wake {
  #wanted = false;
  /** @type {WakeLockSentinel | null} */
  #lock = null;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#ask());
  }

  /** @param {boolean} wanted */
  set(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (wanted) void this.#ask();
    else void this.#lock?.release();
  }

  async #ask() {
    if (!this.#wanted || document.hidden || !navigator.wakeLock) return;
    try {
      const lock = await navigator.wakeLock.request("screen");
      if (this.#wanted) this.#lock = lock;
      else void lock.release();
    } catch {
      // The battery is low, or the browser does not want to: the call goes on without.
    }
  }
}
