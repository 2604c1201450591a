// @ts-check
/** What the page says in sentences: what it is doing, what went wrong, and how to go on. */

/** @typedef {import("./phase.js").Phase} Phase */
/** @typedef {{title: string, advice: string}} Trouble */

/** @type {Record<Phase, string>} */
export const HEADLINES = {
  idle: "Ready when you are",
  connecting: "Connecting",
  listening: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
  reconnecting: "Connection lost, coming back",
  refused: "Not now",
  error: "Something is in the way",
};

/** @type {Record<Phase, string>} */
export const BUTTONS = {
  idle: "Start",
  connecting: "Cancel",
  listening: "End",
  thinking: "End",
  speaking: "End",
  reconnecting: "End",
  refused: "Try again",
  error: "Try again",
};

const PORT = location.port || "80";

/** @type {Record<string, Trouble>} by the server's error code, or by the page's own */
const TROUBLES = {
  insecure: {
    title: "The browser gives the microphone only to secure pages",
    advice:
      "Open this page through https, or make the server local: run " +
      `“ssh -L ${PORT}:127.0.0.1:${PORT} ${location.hostname}” ` +
      `and open http://127.0.0.1:${PORT}/web.`,
  },
  permission: {
    title: "The microphone is not allowed",
    advice:
      "Allow it for this page in the browser's address bar or settings, then try again.",
  },
  no_microphone: {
    title: "No microphone was found",
    advice: "Plug one in, or choose one in the system's sound settings, then try again.",
  },
  microphone_busy: {
    title: "The microphone could not be opened",
    advice: "Another program may be holding it. Close that program, then try again.",
  },
  unplugged: {
    title: "The microphone went away",
    advice: "Plug it in again, then start a new call.",
  },
  unreachable: {
    title: "The server did not answer",
    advice:
      "It may not be running, or it may not accept calls from this address. Try again in a moment.",
  },
  no_capacity: {
    title: "All places are taken",
    advice: "Every line of this server is in a call.",
  },
  lost: {
    title: "The connection was lost",
    advice: "The server could not be reached again. Check the network, then start a new call.",
  },
  closed: { title: "The server ended the call", advice: "Start a new one when you like." },
  session_lost: {
    title: "This call could not be saved",
    advice: "The server lost its record of it. Start a new call.",
  },
  replaced: {
    title: "This call goes on somewhere else",
    advice: "It was picked up in another window or on another device.",
  },
  too_fast: {
    title: "Too much sound arrived at once",
    advice: "The network held the sound back and then let it go. Start a new call.",
  },
};
TROUBLES.too_slow = TROUBLES.lost;
TROUBLES.not_found = TROUBLES.session_lost;
TROUBLES.bad_token = TROUBLES.session_lost;
TROUBLES.poisoned = TROUBLES.session_lost;

/**
 * @param {string} code
 * @param {number | null} retryAfterMs when the server asks to come back
 * @returns {Trouble}
 */
export function trouble(code, retryAfterMs = null) {
  const known = TROUBLES[code];
  if (known === undefined) {
    return { title: "The call could not go on", advice: `The reason given is “${code}”.` };
  }
  if (retryAfterMs === null) return known;
  return { title: known.title, advice: `${known.advice} Try again in ${wait(retryAfterMs)}.` };
}

/**
 * The code for what getUserMedia or the audio system threw.
 * @param {unknown} error
 */
export function codeOf(error) {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "unknown";
  if (name === "NotAllowedError" || name === "SecurityError") return "permission";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "no_microphone";
  if (name === "NotReadableError" || name === "AbortError") return "microphone_busy";
  return name;
}

/** @param {number} ms */
function wait(ms) {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  return seconds === 1 ? "a second" : `${seconds} seconds`;
}
