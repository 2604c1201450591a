// @ts-check
/** What the page says in sentences: what it is doing, what went wrong, and how to go on. */

/** @typedef {import("./phase.js").Phase} Phase */
/** @typedef {import("./call.js").Manners} Manners */
/** @typedef {{title: string, advice: string}} Trouble */

/** @type {Record<Phase, string>} */
const HEADLINES = {
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
const BUTTONS = {
  idle: "Start",
  connecting: "Cancel",
  listening: "End",
  thinking: "End",
  speaking: "End",
  reconnecting: "End",
  refused: "Try again",
  error: "Try again",
};

/** @type {Record<Manners, string>} how to go on in each */
export const HINTS = {
  turn: "It answers when you pause. Speak over it and it stops.",
  stream: "Both sides may speak at any time.",
  hold: "Hold the round button or the space bar while you speak, then let go.",
};

/**
 * @param {Phase} phase
 * @param {boolean | null} held whether push-to-talk is held; null where there is none
 * @param {boolean} muted
 */
export function headline(phase, held, muted) {
  if (muted && phase === "listening") return "You are muted";
  if (held !== null && phase === "listening") return held ? "Listening" : "Hold to talk";
  return HEADLINES[phase];
}

/**
 * @param {Phase} phase
 * @param {boolean | null} held whether push-to-talk is held; null where the button ends the call
 */
export function buttonText(phase, held) {
  if (held === null) return BUTTONS[phase];
  return held ? "Let go" : "Hold";
}

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
    advice: "There is no other one. Plug it in again, then start a new call.",
  },
  unreachable: {
    title: "The server did not answer",
    advice:
      "It may not be running, or it may not accept calls from this address. Try again in a moment.",
  },
  unauthorized: {
    title: "This server takes calls by invitation",
    advice:
      "An invitation starts one call, within a minute of being given. For a new one go back to the " +
      "site that led you here and follow its link again.",
  },
  no_capacity: {
    title: "All places are taken",
    advice: "Every line of this server is in a call. Somebody will hang up: try again soon.",
  },
  lost: {
    title: "The connection was lost",
    advice: "The server could not be reached again. Check the network, then start a new call.",
  },
  slept: {
    title: "The call ended while this computer slept",
    advice: "The server keeps a call for a minute. Start a new one.",
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
 * @returns {Trouble}
 */
export function trouble(code) {
  const unknown = { title: "The call could not go on", advice: `The reason given is “${code}”.` };
  return TROUBLES[code] ?? unknown;
}

/**
 * Something that the person should know, and that ends nothing.
 * @param {string} code
 * @param {string} detail such as a device's name
 */
export function notice(code, detail) {
  if (code === "microphone_changed") {
    return `That microphone is not there any more. Now listening through “${detail}”.`;
  }
  if (code === "speaker_gone") {
    return "That speaker is not there any more. The sound comes from the system’s own now.";
  }
  if (code === "no_loopback") {
    return "The browser could not be helped against the echo. The sound takes the usual way.";
  }
  if (code === "no_opus") {
    return "This browser or this server cannot compress the sound. The call goes on without.";
  }
  if (code === "silent_microphone") {
    return "Not a sound comes from the microphone. Is it switched off, or is another one in use?";
  }
  if (code === "moving") return "The server is being restarted. The call goes on on another.";
  if (code === "not_recovered") return "The server forgot a part of the call. It goes on from here.";
  return code;
}

/** @param {number} seconds */
export function retryIn(seconds) {
  return `Trying again in ${seconds === 1 ? "a second" : `${seconds} seconds`}`;
}

/** @param {number} seconds */
export function comeBackIn(seconds) {
  return `A place may be free in ${seconds === 1 ? "a second" : `${seconds} seconds`}`;
}

export const COME_BACK = "A place may be free now. Try again.";

/**
 * The code for what getUserMedia or the audio system threw.
 * @param {unknown} error
 */
export function codeOf(error) {
  const name = String(/** @type {{name?: unknown}} */ (error)?.name ?? "unknown");
  if (name === "NotAllowedError" || name === "SecurityError") return "permission";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "no_microphone";
  if (name === "NotReadableError" || name === "AbortError") return "microphone_busy";
  return name;
}
