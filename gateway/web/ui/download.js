// @ts-check
/** The button that downloads the call's recording. */

// The browser reads the file for as long as it asks where to store it.
const REVOKE_MS = 60_000;

/** @typedef {import("../audio/recording.js").Recording} Recording */

export class DownloadButton {
  #button;
  /** @type {Recording | null} */
  #recording = null;

  /** @param {HTMLButtonElement} button */
  constructor(button) {
    this.#button = button;
    button.onclick = () => this.#download();
  }

  /** @param {Recording | null} recording null hides the button */
  offer(recording) {
    this.#recording = recording;
    this.#button.hidden = recording === null;
  }

  #download() {
    if (this.#recording === null) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(this.#recording.wav());
    link.download = `antiphon ${timestamp(new Date())}.wav`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_MS);
  }
}

/** @param {Date} date */
function timestamp(date) {
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${two(date.getHours())}.${two(date.getMinutes())}`;
}
