// @ts-check
import { CallAudio } from "./audio/call-audio.js";
import { codeOf } from "./words.js";

/** One call: its audio and its connection. It ends once, and reports the reason. */

// Push-to-talk: the last words are still on their way to the server when the button is released.
const TAIL_MS = 150;
const TAP_MS = 200; // a shorter hold has no words in it
// A working microphone is never entirely silent; one with its own mute switch on gives zeros.
const SILENT = 1e-6;
const SILENT_MS = 4_000;

/**
 * @typedef {import("./audio/call-audio.js").AudioSettings} AudioSettings
 * @typedef {import("./audio/playback.worklet.js").PlaybackReport} PlaybackReport
 * @typedef {import("./transport/connection.js").ConnectionEvent} ConnectionEvent
 * @typedef {import("./transport/wire.js").Options} Options
 * @typedef {import("./transport/wire.js").Codec} Codec
 * @typedef {import("./transport/wire.js").Persona} Persona
 * @typedef {import("./transport/wire.js").ServerMessage} ServerMessage
 * @typedef {import("./transport/socket.worker.js").ConnectionCommand} ConnectionCommand
 *
 * @typedef {"turn" | "stream" | "hold"} TalkMode `hold`: push-to-talk, which is the server's `turn`
 *
 * @typedef {object} CallCallbacks
 * @property {(event: ServerMessage) => void} event from the server
 * @property {(level: number) => void} input
 * @property {(report: PlaybackReport) => void} output
 * @property {(ms: number) => void} responseTime from the turn's end to the first audible sample
 * @property {(ms: number) => void} roundTrip
 * @property {(frames: number) => void} missing
 * @property {(retryMs: number) => void} lost the connection, until the retry
 * @property {(code: string, detail: string) => void} notice
 * @property {(code: string, retryAfterMs: number | null) => void} over
 *
 * `mode` null leaves the choice to the server.
 * @typedef {{url: URL, mode: TalkMode | null, options: Options, codec: Codec, persona: Persona,
 *            auth: string | null, audio: AudioSettings, muted: boolean}} CallSettings
 */

export class Call {
  #callbacks;
  #audio;
  #over = false;
  /** @type {Worker | null} */
  #worker = null;
  /** @type {TalkMode | null} */
  #mode;
  #muted;
  #codec;
  #held = false;
  #heldAt = 0;
  #tailTimer = 0;
  #silentSince = 0; // 0: not silent
  /** @type {number | null} */
  #turnEndedAt = null; // milliseconds since the epoch

  /**
   * Must run inside the click.
   * @param {CallSettings} settings
   * @param {CallCallbacks} callbacks
   */
  constructor(settings, callbacks) {
    this.#callbacks = callbacks;
    this.#mode = settings.mode;
    this.#muted = settings.muted;
    this.#codec = settings.codec;
    this.#audio = new CallAudio({
      input: (level) => this.#input(level),
      output: callbacks.output,
      firstSound: (_generation, at) => this.#firstSound(at),
      changed: (code, label) => this.#over || callbacks.notice(code, label),
      lost: (error) => this.#end(codeOf(error) === "no_microphone" ? "unplugged" : codeOf(error)),
    });
    this.#open(settings).catch((error) => this.#end(codeOf(error)));
  }

  /** The call so far; null before it begins. */
  get recording() {
    return this.#audio.recording;
  }

  get audio() {
    return this.#audio;
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.#muted = muted;
    this.#applyMute();
  }

  /** @param {TalkMode} mode */
  setMode(mode) {
    const manual = mode === "hold";
    const options = manual || this.#mode === "hold" ? { manual } : {};
    this.#mode = mode;
    this.#held = false;
    this.#applyMute();
    this.#post({ settings: { mode: serverMode(mode), options } });
  }

  /** @param {Options} options */
  setOptions(options) {
    this.#post({ settings: { options } });
  }

  /**
   * Push-to-talk was pressed or released.
   * @param {boolean} held
   */
  hold(held) {
    clearTimeout(this.#tailTimer);
    if (held) {
      if (!this.#held) this.#heldAt = performance.now();
      this.#held = true;
      this.#post({ control: "cancel" }); // interrupts the reply
      this.#applyMute();
    } else if (this.#held) {
      // Measured here, because a busy page runs its timers late.
      const tapped = performance.now() - this.#heldAt < TAP_MS;
      this.#tailTimer = setTimeout(() => this.#release(tapped), TAIL_MS);
    }
  }

  /** @param {string} text a turn in writing */
  type(text) {
    this.#turnEndedAt = performance.timeOrigin + performance.now();
    this.#post({ text });
  }

  hangUp() {
    this.#end("ended");
  }

  /** @param {boolean} tapped too short to contain words */
  #release(tapped) {
    this.#held = false;
    this.#applyMute();
    if (!tapped) this.#post({ control: "commit" });
  }

  /** Whether the microphone must send silence now. */
  get #silenced() {
    return this.#muted || (this.#mode === "hold" && !this.#held);
  }

  #applyMute() {
    this.#silentSince = 0;
    this.#audio.setMuted(this.#silenced);
  }

  /** @param {CallSettings} settings */
  async #open({ url, mode, options, codec, persona, auth, audio }) {
    this.#applyMute();
    const { capture, playback } = await this.#audio.open(audio);
    if (this.#over) return;
    const script = new URL("transport/socket.worker.js", import.meta.url);
    this.#worker = new Worker(script, { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = () => this.#end("broken");
    const manual = mode === "hold" ? { manual: true } : {};
    const all = { ...options, ...manual };
    const settings = { mode: serverMode(mode), options: all, codec, persona, auth };
    this.#post({ open: { url: url.href, settings, capture, playback } }, [capture, playback]);
  }

  /**
   * @param {ConnectionCommand} command
   * @param {Transferable[]} ports
   */
  #post(command, ports = []) {
    this.#worker?.postMessage(command, ports);
  }

  /** @param {number} level */
  #input(level) {
    this.#callbacks.input(level);
    if (level > SILENT || this.#silenced) this.#silentSince = 0;
    else if (this.#silentSince === 0) this.#silentSince = performance.now();
    else if (performance.now() - this.#silentSince > SILENT_MS) {
      this.#silentSince = Infinity; // reported once
      this.#callbacks.notice("silent_microphone", "");
    }
  }

  /** @param {ConnectionEvent} news */
  #receive(news) {
    if (this.#over) return;
    if ("event" in news) this.#event(news.event, news.at);
    else if ("roundTripMs" in news) this.#callbacks.roundTrip(news.roundTripMs);
    else if ("missing" in news) this.#callbacks.missing(news.missing);
    else if ("lost" in news) this.#callbacks.lost(news.lost.retryMs);
    else this.#end(news.over.code, news.over.retryAfterMs);
  }

  /**
   * @param {ServerMessage} event
   * @param {number} at
   */
  #event(event, at) {
    if (event.type === "speech_stopped") this.#turnEndedAt = at;
    if (event.type === "speech_started") this.#turnEndedAt = null;
    if (event.type === "ready") this.#checkCodec(event.codec);
    this.#callbacks.event(event);
  }

  /** @param {Codec} [codec] the connection's; servers without any choice leave it out */
  #checkCodec(codec = "pcm16") {
    if (codec === this.#codec) return;
    this.#codec = codec; // reported once
    this.#callbacks.notice("no_opus", "");
  }

  /** @param {number} at when a reply's first audible sample is played */
  #firstSound(at) {
    if (this.#turnEndedAt !== null) this.#callbacks.responseTime(at - this.#turnEndedAt);
    this.#turnEndedAt = null;
  }

  /**
   * @param {string} code
   * @param {number | null} retryAfterMs
   */
  #end(code, retryAfterMs = null) {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#tailTimer);
    this.#post({ end: true });
    this.#audio.close();
    this.#callbacks.over(code, retryAfterMs);
  }
}

/** @param {TalkMode | null} mode */
function serverMode(mode) {
  return mode === "hold" ? "turn" : mode;
}
