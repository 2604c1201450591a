// @ts-check
/**
 * What the call is doing, as the person sees it: a pure function of what happened.
 */

/**
 * @typedef {"idle" | "connecting" | "listening" | "thinking" | "speaking" | "reconnecting"
 *   | "refused" | "error"} Phase
 *
 * @typedef {"start" | "ready" | "speech_started" | "speech_stopped" | "reply_done" | "sounding"
 *   | "silent" | "lost" | "ended" | "refused" | "failed"} Happening
 *   sounding, silent: whether the assistant is heard, by the playback worklet.
 */

/** Phases in which nothing runs and the button starts a call. */
const AT_REST = ["idle", "refused", "error"];
/** Phases between `ready` and the end. */
const TALKING = ["listening", "thinking", "speaking"];

/**
 * @param {Phase} phase
 * @param {Happening} happening
 * @returns {Phase}
 */
export function next(phase, happening) {
  switch (happening) {
    case "start":
      return "connecting";
    case "ended":
      return "idle";
    case "refused":
      return "refused";
    case "failed":
      return "error";
    case "ready":
      return atRest(phase) ? phase : "listening";
    case "lost":
      return atRest(phase) ? phase : "reconnecting";
    default:
      return TALKING.includes(phase) ? talk(phase, happening) : phase;
  }
}

/**
 * @param {Phase} phase
 * @param {Happening} happening
 * @returns {Phase}
 */
function talk(phase, happening) {
  if (happening === "speech_stopped") return "thinking";
  if (happening === "sounding") return "speaking";
  if (happening === "silent") return phase === "speaking" ? "listening" : phase;
  return phase === "thinking" ? "listening" : phase;
}

/** @param {Phase} phase */
export function atRest(phase) {
  return AT_REST.includes(phase);
}
