// @ts-check
/** The person's audio settings, which the browser keeps from call to call. */

/**
 * `opus`: whether to compress the audio. `voice`, `style`: the model's names; "" is its default.
 * @typedef {import("./audio/call-audio.js").AudioSettings
 *   & {opus: boolean, voice: string, style: string}} Preferences
 */

const KEY = "antiphon.sound";

/** @type {Readonly<Preferences>} */
const DEFAULTS = {
  microphone: "",
  speaker: "",
  volume: 1,
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  loopback: false,
  opus: false,
  voice: "",
  style: "",
};

/**
 * The stored preferences, with the default in place of each one that is missing or invalid.
 * @returns {Preferences}
 */
export function loadPreferences() {
  const preferences = { ...DEFAULTS };
  const stored = readStored();
  for (const [name, value] of Object.entries(DEFAULTS)) {
    if (typeof stored[name] === typeof value) Object.assign(preferences, { [name]: stored[name] });
  }
  return { ...preferences, volume: Math.min(1, Math.max(0, preferences.volume || 0)) };
}

/** @param {Preferences} preferences */
export function savePreferences(preferences) {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // A browser that stores nothing: the preferences last until the page is closed.
  }
}

/** @returns {Record<string, unknown>} */
function readStored() {
  try {
    return Object(JSON.parse(localStorage.getItem(KEY) ?? "{}"));
  } catch {
    return {};
  }
}
