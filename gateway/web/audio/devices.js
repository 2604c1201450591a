// @ts-check
/** The microphones and speakers that the browser lets this page know. */

/**
 * @typedef {{id: string, label: string}} Device
 * @typedef {{microphones: Device[], speakers: Device[]}} Devices
 */

// Chromium's names for "whatever the system has chosen", which the page offers anyway.
const ALIASES = ["", "default", "communications"];

/** Whether this browser can send the sound to a speaker of the caller's choice. */
export const canChooseSpeaker = "setSinkId" in AudioContext.prototype;

/**
 * Before the microphone was allowed the browser hides their names, and there are none.
 * @returns {Promise<Devices>}
 */
export async function listDevices() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const named = devices.filter(({ deviceId, label }) => !ALIASES.includes(deviceId) && label);
  /** @param {MediaDeviceKind} kind */
  const of = (kind) =>
    named.filter((device) => device.kind === kind).map(({ deviceId: id, label }) => ({ id, label }));
  return { microphones: of("audioinput"), speakers: of("audiooutput") };
}

/** @param {() => void} act a device came or went */
export function onDevices(act) {
  navigator.mediaDevices?.addEventListener("devicechange", act);
}
