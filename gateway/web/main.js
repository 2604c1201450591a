// @ts-check
import { Call } from "./call.js";
import { atRest, next } from "./phase.js";
import { Panel, find } from "./ui/panel.js";
import { Score } from "./ui/score.js";
import { Transcript } from "./ui/transcript.js";

/**
 * The page: joins what the person does, what the call does and what is shown.
 *
 * `?processing=off` in the address turns the browser's echo cancellation, noise suppression and
 * gain control off: for headphones, measurements and microphones that do it themselves.
 */

const url = new URL("../ws/stream", import.meta.url);
url.protocol = url.protocol.replace("http", "ws");
const processing = new URLSearchParams(location.search).get("processing") !== "off";

const panel = new Panel();
const transcript = new Transcript(find("#transcript", HTMLElement));
const score = new Score(
  find("#score", HTMLCanvasElement),
  find("#call", HTMLElement),
  find("#input", HTMLElement),
  find("#output", HTMLElement),
);

/** @type {import("./phase.js").Phase} */
let phase = "idle";
/** @type {Call | null} */
let call = null;
let played = 0;
let underruns = 0;
let missing = 0;
/** @type {number[]} */
let answers = []; // milliseconds, newest last
const ANSWERS_KEPT = 20;

/** @param {import("./phase.js").Happening} happening */
function happened(happening) {
  phase = next(phase, happening);
  panel.showPhase(phase);
}

/** @type {import("./call.js").Listener} */
const listener = {
  event: showEvent,
  input: (level) => score.addInput(level),
  output: showOutput,
  answered: showAnswer,
  roundTrip: (ms) => panel.showReadout("round-trip", `${Math.round(ms)} ms`),
  missing: (frames) => (missing += Math.abs(frames)),
  lost: () => happened("lost"),
  over: showEnd,
};

/** @param {import("./transport/wire.js").ServerMessage} event */
function showEvent(event) {
  if (event.type === "ready") {
    panel.showMode(event.mode);
    happened("ready");
  } else if (
    event.type === "speech_started" ||
    event.type === "speech_stopped" ||
    event.type === "reply_done"
  ) {
    happened(event.type);
  }
  transcript.add(event, played);
}

/** @param {import("./audio/playback.worklet.js").PlaybackReport} report */
function showOutput(report) {
  score.addOutput(report.level);
  played = report.played;
  underruns = report.underruns;
  happened(report.sounding ? "sounding" : "silent");
  panel.showReadout("buffer", `${Math.round(report.bufferMs / 10) * 10} ms`);
  panel.showReadout("breaks", missing === 0 ? `${underruns}` : `${underruns}, ${missing} lost`);
}

/** @param {number} ms */
function showAnswer(ms) {
  answers = [...answers, ms].slice(-ANSWERS_KEPT);
  const middle = [...answers].sort((a, b) => a - b)[Math.floor(answers.length / 2)];
  const median = answers.length > 2 ? ` (median ${Math.round(middle)})` : "";
  panel.showReadout("answer", `${Math.round(ms)} ms${median}`);
}

/**
 * @param {string} code
 * @param {number | null} retryAfterMs
 */
function showEnd(code, retryAfterMs) {
  call = null;
  if (code === "ended") return happened("ended");
  happened(code === "no_capacity" ? "refused" : "failed");
  panel.showTrouble(code, retryAfterMs);
}

/** Runs inside the click, which the AudioContext needs. */
function toggle() {
  if (!atRest(phase)) return call?.hangUp();
  panel.clearTrouble();
  transcript.clear();
  score.clear();
  played = underruns = missing = 0;
  answers = [];
  for (const readout of /** @type {const} */ (["answer", "round-trip", "buffer", "breaks"])) {
    panel.showReadout(readout, "–");
  }
  happened("start");
  call = new Call({ url, mode: panel.chosenMode, processing, muted: panel.muted }, listener);
}

panel.onCall(toggle);
panel.onMute((muted) => call?.setMuted(muted));
panel.onMode((mode) => call?.setMode(mode));
addEventListener("pagehide", () => call?.hangUp());
if (!isSecureContext) {
  happened("failed");
  panel.showTrouble("insecure", null);
  panel.disable();
}
