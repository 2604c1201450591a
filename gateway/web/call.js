// @ts-check
import { Sound } from "./audio/sound.js";
import { codeOf } from "./words.js";

/**
 * One call: the sound and the line, put together. It ends once, and tells why.
 */

// Of push-to-talk. What was said at the moment of release is still on its way to the wire.
const TAIL_MS = 150;
const TAP_MS = 200; // who holds no longer has said nothing
// A microphone that works is never wholly silent; one whose own switch is off gives zeros.
const SILENT = 1e-6;
const SILENT_MS = 4_000;

/**
 * @typedef {import("./audio/playback.worklet.js").PlaybackReport} PlaybackReport
 * @typedef {import("./audio/sound.js").SoundWish} SoundWish
 * @typedef {import("./transport/line.js").News} News
 * @typedef {import("./transport/line.js").Wishes} Wishes
 * @typedef {import("./transport/wire.js").Options} Options
 * @typedef {import("./transport/wire.js").Codec} Codec
 * @typedef {import("./transport/wire.js").Persona} Persona
 * @typedef {import("./transport/wire.js").ServerMessage} ServerMessage
 * @typedef {import("./transport/socket.worker.js").LineOrder} LineOrder
 *
 * @typedef {"turn" | "stream" | "hold"} Manners how the two sides take turns; hold: push-to-talk
 *
 * @typedef {object} Listener
 * @property {(event: ServerMessage) => void} event from the server, as it arrives
 * @property {(level: number) => void} input
 * @property {(report: PlaybackReport) => void} output
 * @property {(ms: number) => void} answered from the end of the turn to the first audible sample
 * @property {(ms: number) => void} roundTrip
 * @property {(frames: number) => void} missing
 * @property {(retryMs: number) => void} lost the connection; it is tried again then
 * @property {(code: string, detail: string) => void} noticed
 * @property {(code: string, retryAfterMs: number | null) => void} over
 *
 * @typedef {{url: URL, manners: Manners | null, options: Options, codec: Codec, persona: Persona,
 *            auth: string | null, sound: SoundWish, muted: boolean}} CallOptions
 */

export class Call {
  #listener;
  #sound;
  #over = false;
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Manners | null} null leaves the choice to the server */
  #manners;
  #muted;
  #codec;
  #held = false;
  #heldAt = 0;
  #tail = 0;
  #silentSince = 0; // 0: it is not
  /** @type {number | null} */
  #turnEndedAt = null; // milliseconds since the epoch

  /**
   * Must run inside the click.
   * @param {CallOptions} options
   * @param {Listener} listener
   */
  constructor(options, listener) {
    this.#listener = listener;
    this.#manners = options.manners;
    this.#muted = options.muted;
    this.#codec = options.codec;
    this.#sound = new Sound({
      input: (level) => this.#input(level),
      output: listener.output,
      heard: (_generation, at) => this.#heard(at),
      changed: (code, label) => this.#over || listener.noticed(code, label),
      lost: (error) => this.#end(codeOf(error) === "no_microphone" ? "unplugged" : codeOf(error)),
    });
    this.#open(options).catch((error) => this.#end(codeOf(error)));
  }

  /** What was said so far, if anything. */
  get recording() {
    return this.#sound.recording;
  }

  get sound() {
    return this.#sound;
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.#muted = muted;
    this.#hush();
  }

  /** @param {Manners} manners */
  setManners(manners) {
    const manual = manners === "hold";
    const told = manual || this.#manners === "hold" ? { manual } : {};
    this.#manners = manners;
    this.#held = false;
    this.#hush();
    this.#order({ wishes: { mode: modeOf(manners), options: told } });
  }

  /** @param {Options} options */
  setOptions(options) {
    this.#order({ wishes: { options } });
  }

  /**
   * Push-to-talk: from here on the caller speaks, or does no more.
   * @param {boolean} held
   */
  hold(held) {
    clearTimeout(this.#tail);
    if (held) {
      if (!this.#held) this.#heldAt = performance.now();
      this.#held = true;
      this.#order({ control: "cancel" }); // a reply that is being said gives way
      this.#hush();
    } else if (this.#held) {
      this.#tail = setTimeout(() => this.#letGo(), TAIL_MS);
    }
  }

  /** The caller hangs up. */
  hangUp() {
    this.#end("ended");
  }

  #letGo() {
    this.#held = false;
    this.#hush();
    if (performance.now() - this.#heldAt > TAP_MS + TAIL_MS) this.#order({ control: "commit" });
  }

  /** Whether the caller is not to be heard now. */
  get #quiet() {
    return this.#muted || (this.#manners === "hold" && !this.#held);
  }

  #hush() {
    this.#silentSince = 0;
    this.#sound.setMuted(this.#quiet);
  }

  /** @param {CallOptions} options */
  async #open({ url, manners, options, codec, persona, auth, sound }) {
    this.#hush();
    const { capture, playback } = await this.#sound.open(sound);
    if (this.#over) return;
    const script = new URL("transport/socket.worker.js", import.meta.url);
    this.#worker = new Worker(script, { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = () => this.#end("broken");
    const manual = manners === "hold" ? { manual: true } : {};
    const tuned = { ...options, ...manual };
    const wishes = { mode: modeOf(manners), options: tuned, codec, persona, auth };
    this.#order({ open: { url: url.href, wishes, capture, playback } }, [capture, playback]);
  }

  /**
   * @param {LineOrder} order
   * @param {Transferable[]} ports
   */
  #order(order, ports = []) {
    this.#worker?.postMessage(order, ports);
  }

  /** @param {number} level */
  #input(level) {
    this.#listener.input(level);
    if (level > SILENT || this.#quiet) this.#silentSince = 0;
    else if (this.#silentSince === 0) this.#silentSince = performance.now();
    else if (performance.now() - this.#silentSince > SILENT_MS) {
      this.#silentSince = Infinity; // said once
      this.#listener.noticed("silent_microphone", "");
    }
  }

  /** @param {News} news */
  #hear(news) {
    if (this.#over) return;
    if ("event" in news) this.#event(news.event, news.at);
    else if ("roundTripMs" in news) this.#listener.roundTrip(news.roundTripMs);
    else if ("missing" in news) this.#listener.missing(news.missing);
    else if ("lost" in news) this.#listener.lost(news.lost.retryMs);
    else this.#end(news.over.code, news.over.retryAfterMs);
  }

  /**
   * @param {ServerMessage} event
   * @param {number} at
   */
  #event(event, at) {
    if (event.type === "speech_stopped") this.#turnEndedAt = at;
    if (event.type === "speech_started") this.#turnEndedAt = null;
    if (event.type === "ready") this.#compare(event.codec);
    this.#listener.event(event);
  }

  /** @param {Codec} [codec] that the connection has; servers that know no other say none */
  #compare(codec = "pcm16") {
    if (codec === this.#codec) return;
    this.#codec = codec; // said once
    this.#listener.noticed("no_opus", "");
  }

  /** @param {number} at a reply's first audible sample */
  #heard(at) {
    if (this.#turnEndedAt !== null) this.#listener.answered(at - this.#turnEndedAt);
    this.#turnEndedAt = null;
  }

  /**
   * @param {string} code
   * @param {number | null} retryAfterMs
   */
  #end(code, retryAfterMs = null) {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#tail);
    this.#order({ end: true });
    this.#sound.close();
    this.#listener.over(code, retryAfterMs);
  }
}

/** @param {Manners | null} manners */
function modeOf(manners) {
  return manners === "hold" ? "turn" : manners;
}
