// @ts-check
/** The call in figures: how soon it answers, how far the server is, how the sound comes in. */

const ANSWERS_KEPT = 20;
const READOUTS = /** @type {const} */ (["answer", "round-trip", "buffer", "breaks"]);

export class Readings {
  #panel;
  #underruns = 0;
  #missing = 0;
  /** @type {number[]} */
  #answers = []; // milliseconds, newest last

  /** @param {import("./panel.js").Panel} panel */
  constructor(panel) {
    this.#panel = panel;
  }

  clear() {
    this.#underruns = this.#missing = 0;
    this.#answers = [];
    for (const readout of READOUTS) this.#panel.showReadout(readout, "–");
  }

  /** @param {import("../audio/playback.worklet.js").PlaybackReport} report */
  output({ bufferMs, underruns }) {
    this.#underruns = underruns;
    this.#panel.showReadout("buffer", `${Math.round(bufferMs / 10) * 10} ms`);
    this.#showBreaks();
  }

  /** @param {number} frames that did not come, or came twice */
  missing(frames) {
    this.#missing += Math.abs(frames);
    this.#showBreaks();
  }

  /** @param {number} ms */
  roundTrip(ms) {
    this.#panel.showReadout("round-trip", `${Math.round(ms)} ms`);
  }

  /** @param {number} ms from the end of the turn to the first audible sample */
  answered(ms) {
    this.#answers = [...this.#answers, ms].slice(-ANSWERS_KEPT);
    const middle = [...this.#answers].sort((a, b) => a - b)[Math.floor(this.#answers.length / 2)];
    const median = this.#answers.length > 2 ? ` (median ${Math.round(middle)})` : "";
    this.#panel.showReadout("answer", `${Math.round(ms)} ms${median}`);
  }

  #showBreaks() {
    const lost = this.#missing === 0 ? "" : `, ${this.#missing} lost`;
    this.#panel.showReadout("breaks", `${this.#underruns}${lost}`);
  }
}
