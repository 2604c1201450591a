// @ts-check
import { listDevices, onDevices } from "./audio/devices.js";
import { pathOf } from "./audio/sound.js";
import { Call } from "./call.js";
import { takePermit } from "./permit.js";
import { atRest, next } from "./phase.js";
import { loadPreferences, savePreferences } from "./preferences.js";
import { find } from "./ui/find.js";
import { Panel } from "./ui/panel.js";
import { Readings } from "./ui/readings.js";
import { Save } from "./ui/save.js";
import { Score } from "./ui/score.js";
import { Settings } from "./ui/settings.js";
import { Transcript } from "./ui/transcript.js";
import { Wake } from "./wake.js";

/**
 * The page: joins what the person does, what the call does and what is shown.
 *
 * `?processing=off` in the address turns the browser's echo cancellation, noise suppression and
 * gain control off: for measurements. `#token=...` permits a call, where the server wants that.
 */

/** What was chosen of these holds from the next call on. */
const NEXT_CALLS = ["opus", "voice", "style"];
const url = new URL("../ws/stream", import.meta.url);
url.protocol = url.protocol.replace("http", "ws");
const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const processed = new URLSearchParams(location.search).get("processing") !== "off";

const panel = new Panel();
const readings = new Readings(panel);
const settings = new Settings({ ...loadPreferences(), ...(processed ? {} : raw) });
const save = new Save(find("#save", HTMLButtonElement));
const transcript = new Transcript(find("#transcript", HTMLElement));
const wake = new Wake();
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
let permit = takePermit();
let guarded = false; // the server wants a permit

/** @param {import("./phase.js").Happening} happening */
function happened(happening) {
  phase = next(phase, happening);
  panel.showPhase(phase);
  wake.set(!atRest(phase));
}

/** @type {import("./call.js").Listener} */
const listener = {
  event: showEvent,
  input: (level) => score.addInput(level),
  output: showOutput,
  answered: (ms) => readings.answered(ms),
  roundTrip: (ms) => readings.roundTrip(ms),
  missing: (frames) => readings.missing(frames),
  lost: (retryMs) => {
    happened("lost");
    panel.showRetry(retryMs);
  },
  noticed: showNotice,
  over: showEnd,
};

/** @param {import("./transport/wire.js").ServerMessage} event */
function showEvent(event) {
  if (event.type === "ready") showReady(event);
  else if (event.type === "goaway") panel.showNotice("moving");
  else if (
    event.type === "speech_started" ||
    event.type === "speech_stopped" ||
    event.type === "reply_done"
  ) {
    happened(event.type);
  }
  transcript.add(event);
}

/** @param {import("./transport/wire.js").Ready} ready */
function showReady({ mode, outcome }) {
  if (panel.chosen !== "hold") panel.showManners(mode);
  if (outcome === "not_recovered") panel.showNotice(outcome);
  permit = null; // it begins one call
  happened("ready");
  save.offer(call?.recording ?? null);
  void showDevices(); // their names are known only now
}

/** @param {import("./audio/playback.worklet.js").PlaybackReport} report */
function showOutput(report) {
  score.addOutput(report.level);
  readings.output(report);
  transcript.setPlayed(report.played);
  happened(report.sounding ? "sounding" : "silent");
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
  if (code === "unauthorized") permit = null;
  if (code === "ended") return happened("ended");
  happened(code === "no_capacity" ? "refused" : "failed");
  panel.showTrouble(code, retryAfterMs);
}

async function showDevices() {
  const devices = await listDevices();
  const { speaker } = settings.wish;
  const known = devices.speakers.length === 0 || devices.speakers.some(({ id }) => id === speaker);
  settings.showDevices(devices);
  if (call !== null && speaker !== "" && !known) {
    void call.sound.setSpeaker("");
    showNotice("speaker_gone", "");
  }
}

/** Runs inside the click, which the AudioContext needs. */
function toggle() {
  if (!atRest(phase)) return call?.hangUp();
  panel.clearTrouble();
  if (guarded && permit === null) return showEnd("unauthorized", null);
  for (const part of [transcript, score, readings]) part.clear();
  save.offer(null);
  happened("start");
  const { options, wish: sound, persona } = settings;
  /** @type {import("./transport/wire.js").Codec} */
  const codec = sound.opus ? "opus" : "pcm16";
  const { chosen: manners, muted } = panel;
  const choice = { url, manners, options, codec, persona, auth: permit, sound, muted };
  call = new Call(choice, listener);
}

/** The same page was opened again with a new permit, which loads nothing anew. */
function takeAnother() {
  permit = takePermit() ?? permit;
  if (permit === null || !atRest(phase)) return;
  panel.clearTrouble();
  happened("ended");
}

/** @type {Parameters<Settings["onSound"]>[0]} */
function changeSound(wish, changed) {
  if (processed) savePreferences(wish);
  if (changed === "volume") call?.sound.setVolume(wish.volume);
  else if (changed === "speaker") void call?.sound.setSpeaker(wish.speaker);
  else if (changed === "loopback") void call?.sound.setPath(pathOf(wish));
  else if (!NEXT_CALLS.includes(changed)) call?.sound.setMicrophone(wish);
}

async function showDefaults() {
  const answer = await fetch(new URL("../api/config", import.meta.url));
  if (!answer.ok) return;
  const config = await answer.json();
  settings.showDefaults(config);
  guarded = config.auth === true;
  if (guarded && permit === null && phase === "idle") showEnd("unauthorized", null);
}

panel.onCall(toggle, (held) => call?.hold(held));
panel.onMute((muted) => call?.setMuted(muted));
panel.onManners((manners) => call?.setManners(manners));
settings.onSound(changeSound);
settings.onTurn((options) => call?.setOptions(options));
settings.onOpen(() => showDefaults().catch(() => {}));
onDevices(() => void showDevices());
addEventListener("pagehide", () => call?.hangUp());
addEventListener("hashchange", takeAnother);
void showDevices();
showDefaults().catch(() => {}); // then the sliders show this page's own
if (!isSecureContext) {
  happened("failed");
  panel.showTrouble("insecure", null);
  panel.disable();
}
