// @ts-check
/**
 * The button that saves the call's sound as a file.
 */

const REVOKE_MS = 60_000; // the browser reads the file for as long as it asks where to put it

/** @typedef {import("../audio/recording.js").Recording} Recording */

export class Save {
  #button;
  /** @type {Recording | null} */
  #recording = null;

  /** @param {HTMLButtonElement} button */
  constructor(button) {
    this.#button = button;
    button.onclick = () => this.#save();
  }

  /** @param {Recording | null} recording of this call; null: there is none to save */
  offer(recording) {
    this.#recording = recording;
    this.#button.hidden = recording === null;
  }

  #save() {
    if (this.#recording === null) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(this.#recording.wav());
    link.download = `antiphon ${stamp(new Date())}.wav`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_MS);
  }
}

/** @param {Date} date */
function stamp(date) {
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${two(date.getHours())}.${two(date.getMinutes())}`;
}
