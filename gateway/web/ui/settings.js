// @ts-check
import { canChooseSpeaker } from "../audio/devices.js";
import { SETTINGS } from "../words.js";
import { find } from "./find.js";

/**
 * The settings: devices, voice, volume, audio processing, and when a turn begins and ends. It shows
 * what the person chose, and knows nothing of the call.
 */

/**
 * @typedef {import("../audio/devices.js").Device} Device
 * @typedef {import("../audio/devices.js").Devices} Devices
 * @typedef {import("../preferences.js").Preferences} Preferences
 * @typedef {import("../transport/wire.js").Options} Options
 *
 * `voices` and `styles`: the names that the server's model offers.
 * @typedef {{vad_threshold: number, silence_ms: number, voices?: string[],
 *            styles?: string[]}} ServerConfig
 *
 * @typedef {"echoCancellation" | "noiseSuppression" | "autoGainControl" | "loopback"
 *   | "opus"} Switch
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
  #preferences;
  /** @type {Options} the person's choices; the server decides the rest */
  options = {};

  /** @param {Preferences} preferences */
  constructor(preferences) {
    this.#preferences = preferences;
    find("#speaker-row", HTMLElement).hidden = !canChooseSpeaker;
    for (const name of SWITCHES) checkbox(name).checked = preferences[name];
    this.#volume.valueAsNumber = 100 * preferences.volume;
    this.#showValues();
    for (const range of [this.#volume, this.#threshold, this.#silence]) {
      range.addEventListener("input", () => this.#showValues());
    }
  }

  get preferences() {
    return this.#preferences;
  }

  /** @param {(preferences: Preferences, changed: keyof Preferences) => void} act */
  onAudio(act) {
    /** @param {Partial<Preferences>} part */
    const change = (part) => {
      this.#preferences = { ...this.#preferences, ...part };
      act(this.#preferences, /** @type {keyof Preferences} */ (Object.keys(part)[0]));
    };
    this.#microphone.onchange = () => change({ microphone: this.#microphone.value });
    this.#speaker.onchange = () => change({ speaker: this.#speaker.value });
    this.#voice.onchange = () => change({ voice: this.#voice.value });
    this.#style.onchange = () => change({ style: this.#style.value });
    this.#volume.addEventListener("input", () =>
      change({ volume: this.#volume.valueAsNumber / 100 }),
    );
    for (const name of SWITCHES) {
      checkbox(name).onchange = () => change({ [name]: checkbox(name).checked });
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
   * Show the server's values where the person chose none.
   * @param {ServerConfig} config
   */
  showConfig({ vad_threshold, silence_ms, voices = [], styles = [] }) {
    this.#showNames(this.#voice, voices, this.#preferences.voice);
    this.#showNames(this.#style, styles, this.#preferences.style);
    if (this.options.vad_threshold === undefined) {
      this.#threshold.valueAsNumber = Math.round(20 * Math.log10(vad_threshold));
    }
    if (this.options.silence_ms === undefined) this.#silence.valueAsNumber = silence_ms;
    this.#showValues();
  }

  /** @param {Devices} devices the ones available now */
  showDevices({ microphones, speakers }) {
    showDeviceList(this.#microphone, microphones, this.#preferences.microphone);
    showDeviceList(this.#speaker, speakers, this.#preferences.speaker);
  }

  /** Return to the system default: the chosen device is gone. */
  forget(/** @type {"microphone" | "speaker"} */ kind) {
    this.#preferences = { ...this.#preferences, [kind]: "" };
    (kind === "microphone" ? this.#microphone : this.#speaker).value = "";
  }

  /** The chosen voice and style, if the model offers them; "" is the model's default. */
  get persona() {
    const { voice, style } = this.#preferences;
    return {
      voice: voice === this.#voice.value ? voice : "",
      style: style === this.#style.value ? style : "",
    };
  }

  /** @param {() => void} act the server's values may have changed by then */
  onOpen(act) {
    const panel = find("#settings", HTMLDetailsElement);
    panel.addEventListener("toggle", () => panel.open && act());
  }

  /**
   * @param {HTMLSelectElement} select for voices or styles; hidden without a choice
   * @param {readonly string[]} names
   * @param {string} chosen
   */
  #showNames(select, names, chosen) {
    find(`#${select.id}-row`, HTMLElement).hidden = names.length < 2;
    select.replaceChildren(...names.map((name) => new Option(capitalized(name), name)));
    select.value = names.includes(chosen) ? chosen : (names[0] ?? "");
  }

  #showValues() {
    const threshold = this.#threshold.value.replace("-", "−");
    const silence = (this.#silence.valueAsNumber / 1_000).toFixed(2);
    showValue(this.#volume, `${this.#volume.value}%`);
    showValue(this.#threshold, `${threshold} dB`);
    showValue(this.#silence, `${silence} s`);
  }
}

/**
 * @param {HTMLInputElement} range
 * @param {string} text for its output element
 */
function showValue(range, text) {
  find(`#${range.id}-value`, HTMLOutputElement).textContent = text;
  range.setAttribute("aria-valuetext", text);
}

/** @param {string} name */
function capitalized(name) {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
}

/** @param {Switch} name */
function checkbox(name) {
  return find(`#${name}`, HTMLInputElement);
}

/** @param {number} decibels relative to full scale */
function fromDecibels(decibels) {
  return Number((10 ** (decibels / 20)).toPrecision(3));
}

/**
 * @param {HTMLSelectElement} select
 * @param {readonly Device[]} devices
 * @param {string} chosen
 */
function showDeviceList(select, devices, chosen) {
  const standard = devices.length > 0 ? SETTINGS.systemDefault : SETTINGS.othersInACall;
  const own = new Option(standard, "");
  select.replaceChildren(own, ...devices.map(({ id, label }) => new Option(label, id)));
  select.value = devices.some(({ id }) => id === chosen) ? chosen : "";
}
