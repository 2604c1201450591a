// @ts-check
/**
 * Keeps the screen on during a call, if the browser can. A hidden page loses the lock, so the page
 * requests it again when it is visible.
 */
export class WakeLock {
  #wanted = false;
  /** @type {WakeLockSentinel | null} */
  #lock = null;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#request());
  }

  /** @param {boolean} wanted */
  set(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (wanted) void this.#request();
    else void this.#lock?.release();
  }

  async #request() {
    if (!this.#wanted || document.hidden || !navigator.wakeLock) return;
    try {
      const lock = await navigator.wakeLock.request("screen");
      if (this.#wanted) this.#lock = lock;
      else void lock.release();
    } catch {
      // The browser refuses, for example on a low battery: the call goes on without the lock.
    }
  }
}
