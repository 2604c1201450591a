// @ts-check
/**
 * What the person chose of the sound, kept by the browser from call to call.
 */

/**
 * `opus`: the sound is compressed on its way, where browser and server can. `voice`, `style`: what
 * it answers with, by the model's own names; "" leaves it to the model.
 * @typedef {import("./audio/sound.js").SoundWish
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
 * Anything that is not what it should be, or cannot be read, is as it is for a newcomer.
 * @returns {Preferences}
 */
export function loadPreferences() {
  const wish = { ...DEFAULTS };
  const kept = read();
  for (const [name, value] of Object.entries(DEFAULTS)) {
    if (typeof kept[name] === typeof value) Object.assign(wish, { [name]: kept[name] });
  }
  return { ...wish, volume: Math.min(1, Math.max(0, wish.volume || 0)) };
}

/** @param {Preferences} wish */
export function savePreferences(wish) {
  try {
    localStorage.setItem(KEY, JSON.stringify(wish));
  } catch {
    // A browser that keeps nothing: the choice holds until the page is closed.
  }
}

/** @returns {Record<string, unknown>} */
function read() {
  try {
    return Object(JSON.parse(localStorage.getItem(KEY) ?? "{}"));
  } catch {
    return {};
  }
}
