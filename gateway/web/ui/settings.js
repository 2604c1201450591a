// @ts-check
import { canChooseSpeaker } from "../audio/devices.js";
import { find } from "./find.js";

/**
 * The settings panel: microphone, speaker, what browser and page may do to the sound, and when a
 * turn begins and ends. What it shows is what is wished; it knows nothing of a call.
 */

/**
 * @typedef {import("../audio/devices.js").Device} Device
 * @typedef {import("../audio/devices.js").Devices} Devices
 * @typedef {import("../preferences.js").Preferences} Preferences
 * @typedef {import("../transport/wire.js").Options} Options
 * @typedef {{vad_threshold: number, silence_ms: number, voices?: string[],
 *            styles?: string[]}} Defaults what the server does, and what its model offers
 * @typedef {"echoCancellation" | "noiseSuppression" | "autoGainControl" | "loopback" | "opus"} Switch
 */

/** @type {readonly Switch[]} */
const SWITCHES = ["echoCancellation", "noiseSuppression", "autoGainControl", "loopback", "opus"];

export class Settings {
  #microphone = find("#microphone", HTMLSelectElement);
  #speaker = find("#speaker", HTMLSelectElement);
  #voice = find("#voice", HTMLSelectElement);
  #style = find("#style", HTMLSelectElement);
  #volume = find("#volume", HTMLInputElement);
  #threshold = find("#threshold", HTMLInputElement);
  #silence = find("#silence", HTMLInputElement);
  #wish;
  /** @type {Options} what the person chose; what is not here is the server's */
  options = {};

  /** @param {Preferences} wish */
  constructor(wish) {
    this.#wish = wish;
    find("#speaker-row", HTMLElement).hidden = !canChooseSpeaker;
    for (const name of SWITCHES) box(name).checked = wish[name];
    this.#volume.valueAsNumber = 100 * wish.volume;
    this.#describe();
    for (const range of [this.#volume, this.#threshold, this.#silence]) {
      range.addEventListener("input", () => this.#describe());
    }
  }

  get wish() {
    return this.#wish;
  }

  /** @param {(wish: Preferences, changed: keyof Preferences) => void} act */
  onSound(act) {
    /** @param {Partial<Preferences>} part */
    const change = (part) => {
      this.#wish = { ...this.#wish, ...part };
      act(this.#wish, /** @type {keyof Preferences} */ (Object.keys(part)[0]));
    };
    this.#microphone.onchange = () => change({ microphone: this.#microphone.value });
    this.#speaker.onchange = () => change({ speaker: this.#speaker.value });
    this.#voice.onchange = () => change({ voice: this.#voice.value });
    this.#style.onchange = () => change({ style: this.#style.value });
    this.#volume.addEventListener("input", () =>
      change({ volume: this.#volume.valueAsNumber / 100 }),
    );
    for (const name of SWITCHES) {
      box(name).onchange = () => change({ [name]: box(name).checked });
    }
  }

  /** @param {(options: Options) => void} act */
  onTurn(act) {
    /** @param {Options} part */
    const change = (part) => {
      this.options = { ...this.options, ...part };
      act(part);
    };
    this.#threshold.onchange = () => {
      change({ vad_threshold: fromDecibels(this.#threshold.valueAsNumber) });
    };
    this.#silence.onchange = () => change({ silence_ms: this.#silence.valueAsNumber });
  }

  /**
   * What the server does where the person chose nothing.
   * @param {Defaults} defaults
   */
  showDefaults({ vad_threshold, silence_ms, voices = [], styles = [] }) {
    this.#show(this.#voice, voices, this.#wish.voice);
    this.#show(this.#style, styles, this.#wish.style);
    if (this.options.vad_threshold === undefined) {
      this.#threshold.valueAsNumber = Math.round(20 * Math.log10(vad_threshold));
    }
    if (this.options.silence_ms === undefined) this.#silence.valueAsNumber = silence_ms;
    this.#describe();
  }

  /** @param {Devices} devices that there are now */
  showDevices({ microphones, speakers }) {
    offer(this.#microphone, microphones, this.#wish.microphone);
    offer(this.#speaker, speakers, this.#wish.speaker);
  }

  /** The system's own microphone or speaker serves: the one that was chosen is gone. */
  forget(/** @type {"microphone" | "speaker"} */ kind) {
    this.#wish = { ...this.#wish, [kind]: "" };
    (kind === "microphone" ? this.#microphone : this.#speaker).value = "";
  }

  /** The voice and the style that are both wished and offered; "" is the model's own. */
  get persona() {
    const { voice, style } = this.#wish;
    return {
      voice: voice === this.#voice.value ? voice : "",
      style: style === this.#style.value ? style : "",
    };
  }

  /** @param {() => void} act what it shows of the server may be old by then */
  onOpen(act) {
    const panel = find("#settings", HTMLDetailsElement);
    panel.addEventListener("toggle", () => panel.open && act());
  }

  /**
   * @param {HTMLSelectElement} select of the model's voices or styles; hidden where there is no choice
   * @param {readonly string[]} names
   * @param {string} chosen
   */
  #show(select, names, chosen) {
    find(`#${select.id}-row`, HTMLElement).hidden = names.length < 2;
    select.replaceChildren(...names.map((name) => new Option(capital(name), name)));
    select.value = names.includes(chosen) ? chosen : (names[0] ?? "");
  }

  #describe() {
    this.#say(this.#volume, "volume-value", `${this.#volume.value} %`);
    this.#say(this.#threshold, "threshold-value", `${this.#threshold.value} dB`.replace("-", "−"));
    this.#say(this.#silence, "silence-value", `${(this.#silence.valueAsNumber / 1_000).toFixed(2)} s`);
  }

  /**
   * @param {HTMLInputElement} range
   * @param {string} id of its output
   * @param {string} text
   */
  #say(range, id, text) {
    find(`#${id}`, HTMLOutputElement).textContent = text;
    range.setAttribute("aria-valuetext", text);
  }
}

/** @param {string} name */
function capital(name) {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
}

/** @param {Switch} name */
function box(name) {
  return find(`#${name}`, HTMLInputElement);
}

/** @param {number} decibels of full scale */
function fromDecibels(decibels) {
  return Number((10 ** (decibels / 20)).toPrecision(3));
}

/**
 * @param {HTMLSelectElement} select
 * @param {readonly Device[]} devices
 * @param {string} chosen
 */
function offer(select, devices, chosen) {
  const own = new Option(devices.length > 0 ? "The system’s own" : "The system’s own (others: in a call)", "");
  select.replaceChildren(own, ...devices.map(({ id, label }) => new Option(label, id)));
  select.value = devices.some(({ id }) => id === chosen) ? chosen : "";
}
