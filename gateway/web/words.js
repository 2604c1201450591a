// @ts-check
/** Every sentence that the page shows: the call's state, what went wrong, and what to do next. */

/** @typedef {import("./phase.js").Phase} Phase */
/** @typedef {import("./call.js").TalkMode} TalkMode */
/** @typedef {{title: string, advice: string}} Trouble */
/** @typedef {{headline: string, examples: string[]}} Invitation what to say to the assistant */

/** @type {Invitation} */
const ANYTHING = {
  headline: "Ask me anything",
  examples: [
    "“Why is the sky blue?”",
    "“Tell me a joke.”",
    "“What’s thirty-eight plus forty-seven?”",
  ],
};
/** @type {Record<string, Invitation>} engines that cannot answer just anything */
const INVITATIONS = {
  echo: { headline: "Say something", examples: ["You’ll hear your own voice come back."] },
  hybrid: {
    headline: "Ask me something simple",
    examples: [
      "“What is three plus four?”",
      "“What is the capital of France?”",
      "“Tell me a story.”",
    ],
  },
};

/** @type {Record<Exclude<Phase, "idle">, string>} */
const HEADLINES = {
  connecting: "Connecting…",
  listening: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
  reconnecting: "Connection lost. Reconnecting…",
  refused: "Not available right now",
  failed: "Can’t start the call",
  dropped: "The call ended",
};

/** @type {Record<Phase, string>} */
const BUTTONS = {
  idle: "Start talking",
  connecting: "Cancel",
  listening: "Hang up",
  thinking: "Hang up",
  speaking: "Hang up",
  reconnecting: "Hang up",
  refused: "Try again",
  failed: "Try again",
  dropped: "Call again",
};

/** @type {Record<TalkMode, string>} */
export const HINTS = {
  turn: "It answers when you pause. Start talking again to interrupt it.",
  stream: "Talk naturally: both of you can speak at any time.",
  hold: "Hold the round button or the space bar while you talk, then let go.",
};

/**
 * @param {string} [engine] the name in /api/config; servers may leave it out
 * @returns {Invitation}
 */
export function invitation(engine = "") {
  return INVITATIONS[engine] ?? ANYTHING;
}

/**
 * @param {Phase} phase
 * @param {boolean | null} held whether push-to-talk is held; null in the other modes
 * @param {boolean} muted
 * @param {Invitation} invitation shown before a call
 */
export function headline(phase, held, muted, invitation) {
  if (phase === "idle") return invitation.headline;
  if (phase === "reconnecting" && !navigator.onLine) return "You’re offline. Reconnecting…";
  if (muted && phase === "listening") return "You’re muted";
  if (held !== null && phase === "listening") return held ? "Listening" : "Hold to talk";
  return HEADLINES[phase];
}

/**
 * @param {Phase} phase
 * @param {boolean | null} held whether push-to-talk is held; null if the button hangs up
 */
export function buttonText(phase, held) {
  if (held === null) return BUTTONS[phase];
  return held ? "Let go" : "Hold";
}

const PORT = location.port || "80";

/** @type {Record<string, Trouble>} by the server's error code, or by the page's own */
const TROUBLES = {
  insecure: {
    title: "Your browser blocks the microphone on this page",
    advice:
      "Browsers allow the microphone only on secure pages. Open this page over HTTPS, or run " +
      `“ssh -L ${PORT}:127.0.0.1:${PORT} ${location.hostname}” ` +
      `and open http://127.0.0.1:${PORT}/web.`,
  },
  permission: {
    title: "Microphone access is blocked",
    advice: "Allow the microphone in your browser’s address bar or settings, then try again.",
  },
  no_microphone: {
    title: "No microphone found",
    advice: "Connect a microphone or select one in your system’s sound settings, then try again.",
  },
  microphone_busy: {
    title: "Your microphone is in use",
    advice: "Another app may be using it. Close that app, then try again.",
  },
  unplugged: {
    title: "Your microphone was disconnected",
    advice: "No other microphone was found. Reconnect it, then start a new call.",
  },
  unreachable: {
    title: "Can’t reach the server",
    advice:
      "The server may be down, or it may not accept calls from this address. " +
      "Try again in a moment.",
  },
  unauthorized: {
    title: "You need an invitation",
    advice:
      "Each invitation link starts one call and expires after a minute. To get a new one, " +
      "go back to the site that sent you here and follow its link again.",
  },
  no_capacity: {
    title: "No free line",
    advice: "All lines are in use, or the server is still starting. Try again in a moment.",
  },
  lost: {
    title: "The connection was lost",
    advice: "Check your internet connection, then start a new call.",
  },
  slept: {
    title: "The call ended while your device was asleep",
    advice: "Calls are kept for about a minute. Start a new one whenever you like.",
  },
  closed: { title: "The server ended the call", advice: "Start a new call whenever you like." },
  session_lost: {
    title: "This call couldn’t be restored",
    advice: "The server no longer has it. Start a new call.",
  },
  replaced: {
    title: "It continues somewhere else",
    advice: "You opened this call in another window or on another device.",
  },
  too_fast: {
    title: "Too much audio arrived at once",
    advice: "Your network delayed the audio and then sent it all together. Start a new call.",
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
  return (
    TROUBLES[code] ?? {
      title: "The call ended unexpectedly",
      advice: `Start a new call. If it happens again, report this error code: ${code}.`,
    }
  );
}

/**
 * Something that the person should know and that does not end the call.
 * @param {string} code
 * @param {string} detail such as a device's name
 */
export function notice(code, detail) {
  if (code === "microphone_changed") {
    return `Your microphone was disconnected. Now using “${detail}”.`;
  }
  if (code === "speaker_gone") {
    return "Your speaker was disconnected. Now using the system default.";
  }
  if (code === "no_loopback") {
    return "Stronger echo cancellation isn’t available. The call continues without it.";
  }
  if (code === "no_opus") {
    return "Compressed audio isn’t available here. The call continues without it.";
  }
  if (code === "silent_microphone") {
    return "Your microphone is silent. Is it switched off, or do you need to select another one?";
  }
  if (code === "unsupported") return "This assistant can’t read. Please say it.";
  if (code === "moving") return "The server is restarting. Your call will continue in a moment.";
  if (code === "not_recovered") {
    return "The server lost the earlier part of this call. It continues from here.";
  }
  return code;
}

/** @param {number} seconds */
export function retryIn(seconds) {
  return `Trying again in ${secondsInWords(seconds)}`;
}

export const RETRY_NOW = "Trying again now";

/** @param {number} seconds */
export function comeBackIn(seconds) {
  return `You can try again in ${secondsInWords(seconds)}`;
}

export const COME_BACK = "You can try again now";

/** @param {number} seconds */
function secondsInWords(seconds) {
  return seconds === 1 ? "1 second" : `${seconds} seconds`;
}

/** What the transcript says in place of words. */
export const TRANSCRIPT = {
  caller: "You",
  assistant: "Antiphon",
  speaking: "Speaking…",
  /** @param {number} seconds */
  spokeFor: (seconds) => `Spoke for ${seconds.toFixed(1)} s`,
  partial: "…",
  rough: "roughly",
  noWordsYet: "…",
  noWords: "No transcript for this reply",
  interrupted: "interrupted",
};

/** Names in the settings that the page's script writes. */
export const SETTINGS = {
  systemDefault: "System default",
  othersInACall: "System default (more choices during a call)",
};

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
