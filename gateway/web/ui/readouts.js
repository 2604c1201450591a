// @ts-check
/** The call's figures: response time, round trip, buffer and dropouts. */

const RESPONSES_KEPT = 20;
const READOUTS = /** @type {const} */ (["response-time", "round-trip", "buffer", "dropouts"]);

export class Readouts {
  #panel;
  #underruns = 0;
  #missing = 0;
  /** @type {number[]} */
  #responses = []; // milliseconds, newest last

  /** @param {import("./panel.js").Panel} panel */
  constructor(panel) {
    this.#panel = panel;
  }

  clear() {
    this.#underruns = this.#missing = 0;
    this.#responses = [];
    for (const readout of READOUTS) this.#panel.showReadout(readout, "–");
  }

  /** @param {import("../audio/playback.worklet.js").PlaybackReport} report */
  output({ bufferMs, underruns }) {
    this.#underruns = underruns;
    this.#panel.showReadout("buffer", `${Math.round(bufferMs / 10) * 10} ms`);
    this.#showDropouts();
  }

  /** @param {number} frames that were lost; negative for frames that came twice */
  missing(frames) {
    this.#missing += Math.abs(frames);
    this.#showDropouts();
  }

  /** @param {number} ms */
  roundTrip(ms) {
    this.#panel.showReadout("round-trip", `${Math.round(ms)} ms`);
  }

  /** @param {number} ms from the turn's end to the first audible sample */
  responseTime(ms) {
    this.#responses = [...this.#responses, ms].slice(-RESPONSES_KEPT);
    const sorted = [...this.#responses].sort((a, b) => a - b);
    const middle = Math.round(sorted[Math.floor(sorted.length / 2)]);
    const median = sorted.length > 2 ? ` (median ${middle})` : "";
    this.#panel.showReadout("response-time", `${Math.round(ms)} ms${median}`);
  }

  #showDropouts() {
    const lost = this.#missing === 0 ? "" : `, ${this.#missing} lost`;
    this.#panel.showReadout("dropouts", `${this.#underruns}${lost}`);
  }
}
