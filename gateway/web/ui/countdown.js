// @ts-check
/** Counts down seconds. Screen readers do not announce each second, only the event at its end. */
export class Countdown {
  #element;
  #timer = 0;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /**
   * @param {number} ms
   * @param {(seconds: number) => string} words
   * @param {string} after the text at the end
   */
  start(ms, words, after) {
    this.stop();
    const end = performance.now() + ms;
    const show = () => {
      const seconds = Math.ceil((end - performance.now()) / 1_000);
      if (seconds <= 0) clearInterval(this.#timer);
      this.#element.textContent = seconds > 0 ? words(seconds) : after;
    };
    this.#timer = setInterval(show, 250);
    show();
  }

  stop() {
    clearInterval(this.#timer);
    this.#element.textContent = "";
  }
}
