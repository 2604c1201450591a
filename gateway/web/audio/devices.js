// @ts-check
/** The microphones and speakers that the browser reveals to this page. */

/**
 * @typedef {{id: string, label: string}} Device
 * @typedef {{microphones: Device[], speakers: Device[]}} Devices
 */

// Chromium lists the system default under these names; the page has an entry of its own for it.
const ALIASES = ["", "default", "communications"];

/** Whether this browser can play through a chosen speaker. */
export const canChooseSpeaker = "setSinkId" in AudioContext.prototype;

/**
 * Both lists are empty until the person allows the microphone: the browser hides the names.
 * @returns {Promise<Devices>}
 */
export async function listDevices() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const named = devices.filter(({ deviceId, label }) => !ALIASES.includes(deviceId) && label);
  /** @param {MediaDeviceKind} kind */
  const of = (kind) => {
    const found = named.filter((device) => device.kind === kind);
    return found.map(({ deviceId: id, label }) => ({ id, label }));
  };
  return { microphones: of("audioinput"), speakers: of("audiooutput") };
}

/** @param {() => void} act runs when a device is connected or disconnected */
export function onDeviceChange(act) {
  navigator.mediaDevices?.addEventListener("devicechange", act);
}
