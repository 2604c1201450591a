// @ts-check
/**
 * The call's phase, as the person sees it: a pure function of the events.
 */

/**
 * @typedef {"idle" | "connecting" | "listening" | "thinking" | "speaking" | "reconnecting"
 *   | "refused" | "failed" | "dropped"} Phase `failed`: before the call began; `dropped`: during it
 *
 * `voice` and `silence` come from the playback worklet: whether the assistant can be heard.
 * @typedef {"start" | "ready" | "speech_started" | "speech_stopped" | "reply_done" | "voice"
 *   | "silence" | "lost" | "ended" | "refused" | "failed"} PhaseEvent
 */

/** Without a call: the button starts one. */
const AT_REST = ["idle", "refused", "failed", "dropped"];
/** Between `ready` and the end. */
const IN_CALL = ["listening", "thinking", "speaking"];

/**
 * @param {Phase} phase
 * @param {PhaseEvent} event
 * @returns {Phase}
 */
export function next(phase, event) {
  switch (event) {
    case "start":
      return "connecting";
    case "ended":
      return "idle";
    case "refused":
      return "refused";
    case "failed":
      return IN_CALL.includes(phase) || phase === "reconnecting" ? "dropped" : "failed";
    case "ready":
      return atRest(phase) ? phase : "listening";
    case "lost":
      return atRest(phase) ? phase : "reconnecting";
    default:
      return IN_CALL.includes(phase) ? nextInCall(phase, event) : phase;
  }
}

/**
 * @param {Phase} phase
 * @param {PhaseEvent} event
 * @returns {Phase}
 */
function nextInCall(phase, event) {
  if (event === "speech_stopped") return "thinking";
  if (event === "voice") return "speaking";
  if (event === "silence") return phase === "speaking" ? "listening" : phase;
  return phase === "thinking" ? "listening" : phase;
}

/** @param {Phase} phase */
export function atRest(phase) {
  return AT_REST.includes(phase);
}
