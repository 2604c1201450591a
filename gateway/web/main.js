// @ts-check
import { pathOf } from "./audio/call-audio.js";
import { listDevices, onDeviceChange } from "./audio/devices.js";
import { takeAccessToken } from "./access-token.js";
import { Call } from "./call.js";
import { atRest, next } from "./phase.js";
import { loadPreferences, savePreferences } from "./preferences.js";
import { DownloadButton } from "./ui/download.js";
import { find } from "./ui/find.js";
import { LevelDisplay } from "./ui/level-display.js";
import { Panel } from "./ui/panel.js";
import { Readouts } from "./ui/readouts.js";
import { Settings } from "./ui/settings.js";
import { Transcript } from "./ui/transcript.js";
import { TypedTurn } from "./ui/typed-turn.js";
import { WakeLock } from "./wake-lock.js";

/**
 * The page: connects the controls, the call and the displays.
 *
 * `?processing=off` in the address turns off the browser's echo cancellation, noise suppression and
 * gain control, for measurements. `#token=...` permits a call on a server that requires a token.
 */

/** A change of these takes effect with the next call. */
const NEXT_CALL = ["opus", "voice", "style"];
const url = new URL("../ws/stream", import.meta.url);
url.protocol = url.protocol.replace("http", "ws");
const unprocessed = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const processing = new URLSearchParams(location.search).get("processing") !== "off";

const panel = new Panel();
const readouts = new Readouts(panel);
const settings = new Settings({ ...loadPreferences(), ...(processing ? {} : unprocessed) });
const download = new DownloadButton(find("#download", HTMLButtonElement));
const transcript = new Transcript(find("#transcript", HTMLElement));
const typedTurn = new TypedTurn();
const wakeLock = new WakeLock();
const levels = new LevelDisplay(
  find("#levels", HTMLCanvasElement),
  find("#call", HTMLElement),
  find("#input", HTMLElement),
  find("#output", HTMLElement),
);

/** @type {import("./phase.js").Phase} */
let phase = "idle";
/** @type {Call | null} */
let call = null;
let accessToken = takeAccessToken();
let tokenRequired = false;

/** @param {import("./phase.js").PhaseEvent} event */
function advance(event) {
  phase = next(phase, event);
  panel.showPhase(phase);
  if (atRest(phase)) typedTurn.show(false);
  wakeLock.set(!atRest(phase));
}

/** @type {import("./call.js").CallCallbacks} */
const callbacks = {
  event: showEvent,
  input: (level) => levels.addInput(level),
  output: showOutput,
  responseTime: (ms) => readouts.responseTime(ms),
  roundTrip: (ms) => readouts.roundTrip(ms),
  missing: (frames) => readouts.missing(frames),
  lost: (retryMs) => {
    advance("lost");
    panel.showRetry(retryMs);
  },
  notice: showNotice,
  over: showEnd,
};

/** @param {import("./transport/wire.js").ServerMessage} event */
function showEvent(event) {
  if (event.type === "ready") showReady(event);
  else if (event.type === "goaway") panel.showNotice("moving");
  else if (event.type === "error" && event.closes === false) panel.showNotice(event.code);
  else if (
    event.type === "speech_started" ||
    event.type === "speech_stopped" ||
    event.type === "reply_done"
  ) {
    advance(event.type);
  }
  transcript.add(event);
}

/** @param {import("./transport/wire.js").Ready} ready */
function showReady({ mode, outcome, text = false }) {
  typedTurn.show(text);
  if (panel.chosenMode !== "hold") panel.showMode(mode);
  if (outcome === "not_recovered") panel.showNotice(outcome);
  accessToken = null; // it permits one call
  advance("ready");
  download.offer(call?.recording ?? null);
  void showDevices(); // the browser reveals their names now
}

/** @param {import("./audio/playback.worklet.js").PlaybackReport} report */
function showOutput(report) {
  levels.addOutput(report.level);
  readouts.output(report);
  transcript.setPlayed(report.played);
  advance(report.speaking ? "voice" : "silence");
}

/**
 * @param {string} code
 * @param {string} detail
 */
function showNotice(code, detail) {
  if (code === "microphone_changed") settings.forget("microphone");
  if (code === "speaker_gone") settings.forget("speaker");
  panel.showNotice(code, detail);
}

/**
 * @param {string} code
 * @param {number | null} retryAfterMs
 */
function showEnd(code, retryAfterMs) {
  call = null;
  if (code === "unauthorized") accessToken = null;
  if (code === "ended") return advance("ended");
  advance(code === "no_capacity" ? "refused" : "failed");
  panel.showTrouble(code, retryAfterMs);
}

async function showDevices() {
  const devices = await listDevices();
  const { speaker } = settings.preferences;
  const known = devices.speakers.length === 0 || devices.speakers.some(({ id }) => id === speaker);
  settings.showDevices(devices);
  if (call !== null && speaker !== "" && !known) {
    void call.audio.setSpeaker("");
    showNotice("speaker_gone", "");
  }
}

/** Runs inside the click, as the AudioContext requires. */
function toggle() {
  if (!atRest(phase)) return call?.hangUp();
  panel.clearTrouble();
  if (tokenRequired && accessToken === null) return showEnd("unauthorized", null);
  for (const display of [transcript, levels, readouts]) display.clear();
  download.offer(null);
  advance("start");
  const { options, preferences: audio, persona } = settings;
  /** @type {import("./transport/wire.js").Codec} */
  const codec = audio.opus ? "opus" : "pcm16";
  const { chosenMode: mode, muted } = panel;
  call = new Call(
    { url, mode, options, codec, persona, auth: accessToken, audio, muted },
    callbacks,
  );
}

/** @param {string} text */
function type(text) {
  call?.type(text);
  transcript.addTyped(text);
  advance("speech_stopped");
}

/** A link with a new token opened this page again, which does not reload it. */
function takeNewToken() {
  accessToken = takeAccessToken() ?? accessToken;
  if (accessToken === null || !atRest(phase)) return;
  panel.clearTrouble();
  advance("ended");
}

/** @type {Parameters<Settings["onAudio"]>[0]} */
function changeAudio(preferences, changed) {
  if (processing) savePreferences(preferences);
  if (changed === "volume") call?.audio.setVolume(preferences.volume);
  else if (changed === "speaker") void call?.audio.setSpeaker(preferences.speaker);
  else if (changed === "loopback") void call?.audio.setPath(pathOf(preferences));
  else if (!NEXT_CALL.includes(changed)) call?.audio.setMicrophone(preferences);
}

async function showConfig() {
  const answer = await fetch(new URL("../api/config", import.meta.url));
  if (!answer.ok) return;
  const config = await answer.json();
  settings.showConfig(config);
  panel.showInvitation(config.engine);
  tokenRequired = config.auth === true;
  if (tokenRequired && accessToken === null && phase === "idle") showEnd("unauthorized", null);
}

panel.onCall(toggle, (held) => call?.hold(held));
typedTurn.onSend(type);
panel.onMute((muted) => call?.setMuted(muted));
panel.onMode((mode) => call?.setMode(mode));
settings.onAudio(changeAudio);
settings.onTurn((options) => call?.setOptions(options));
settings.onOpen(() => showConfig().catch(() => {}));
onDeviceChange(() => void showDevices());
addEventListener("pagehide", () => call?.hangUp());
addEventListener("hashchange", takeNewToken);
void showDevices();
showConfig().catch(() => {}); // the page's own values stay
if (!isSecureContext) {
  advance("failed");
  panel.showTrouble("insecure", null);
  panel.disable();
}
