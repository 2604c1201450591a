// @ts-check
/**
 * What the person chose of microphone and speaker, kept by the browser from call to call.
 */

/** @typedef {import("./audio/sound.js").SoundWish} SoundWish */

const KEY = "antiphon.sound";

/** @type {Readonly<SoundWish>} */
const DEFAULTS = {
  microphone: "",
  speaker: "",
  volume: 1,
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};

/**
 * Anything that is not what it should be, or cannot be read, is as it is for a newcomer.
 * @returns {SoundWish}
 */
export function loadPreferences() {
  const wish = { ...DEFAULTS };
  const kept = read();
  for (const [name, value] of Object.entries(DEFAULTS)) {
    if (typeof kept[name] === typeof value) Object.assign(wish, { [name]: kept[name] });
  }
  return { ...wish, volume: Math.min(1, Math.max(0, wish.volume || 0)) };
}

/** @param {SoundWish} wish */
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
