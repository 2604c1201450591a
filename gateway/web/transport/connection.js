// @ts-check
import { OpusCodec, supportsOpus } from "../audio/opus.js";
import { Outbox } from "./outbox.js";
import { SleepDetector } from "./sleep.js";
import * as wire from "./wire.js";

/**
 * A call's connection to the server, which outlives its sockets. When a socket is lost, it resumes
 * the session on a new one and resends unacknowledged audio. It keeps the frames in order.
 */

const PING_MS = 2_000;
const SILENT_MS = 8_000; // without any message for this long the connection is dead
// Must add up to a little more than the minute for which the server keeps a session.
const RETRY_MS = [100, 250, 500, 1_000, 2_000, 4_000, ...Array(8).fill(8_000)];
const CONTROLS_KEPT = 4; // while there is no connection
// Close codes after which the session cannot be resumed.
const FINAL = [1000, 4400, 4401, 4403, 4404, 4408, 4409, 4410, 4413, 4422, 4429];

/**
 * What happens on the connection. `at`: milliseconds since the epoch, by this machine's clock.
 * @typedef {{event: wire.ServerMessage, at: number}
 *   | {roundTripMs: number}
 *   | {missing: number}
 *   | {lost: {retryMs: number}}
 *   | {over: {code: string, retryAfterMs: number | null}}} ConnectionEvent
 *
 * The session's settings. `codec` is a request: the server may answer with PCM16. `auth`: the token
 * that permits the call.
 * @typedef {{mode: wire.Mode | null, options: wire.Options, codec: wire.Codec,
 *            persona: wire.Persona, auth: string | null}} SessionSettings
 *
 * @typedef {{play: (frame: wire.Frame) => void, clear: (generation: number) => void,
 *            reset: () => void, emit: (event: ConnectionEvent) => void}} Callbacks
 */

export class Connection {
  #url;
  /** @type {SessionSettings} */
  #settings;
  /** @type {OpusCodec | null} */
  #opus = null; // of the current socket; null: PCM16
  #callbacks;
  #outbox = new Outbox();
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {{session: string, token: string} | null} */
  #resume = null;
  #ready = false;
  #received = 0; // the last frame
  #attempt = 0;
  #over = false;
  #lastMessageAt = 0; // by performance.now()
  #pingTimer = 0;
  #retryTimer = 0;
  #sleep = new SleepDetector(PING_MS);
  #slept = false; // since the last `ready`
  /** @type {object[]} */
  #pendingControls = [];
  /** @type {wire.ServerMessage & {type: "error"} | null} */
  #refusal = null;

  /**
   * @param {string} url
   * @param {SessionSettings} settings
   * @param {Callbacks} callbacks
   */
  constructor(url, settings, callbacks) {
    this.#url = url;
    this.#settings = settings;
    this.#callbacks = callbacks;
    if (settings.codec === "pcm16") this.#connect();
    else void this.#connectWithOpus();
  }

  /** @param {Int16Array<ArrayBuffer>} block the caller's next samples */
  sendAudio(block) {
    if (this.#over || (this.#resume === null && !this.#ready)) return;
    this.#outbox.push(block);
    if (this.#ready) this.#transmit(block);
  }

  /** @param {number} frame the last one that was played */
  setPlayed(frame) {
    this.#send({ type: "played", frame });
  }

  /**
   * Change the session's settings, now or as soon as the connection is back.
   * @param {Partial<SessionSettings>} changed
   */
  update({ mode = null, options = {} }) {
    const merged = { ...this.#settings.options, ...options };
    this.#settings = { ...this.#settings, mode: mode ?? this.#settings.mode, options: merged };
    if (mode !== null) this.#send({ type: "mode", mode });
    if (Object.keys(options).length > 0) this.#send({ type: "options", ...options });
  }

  /** @param {{type: "commit" | "cancel"} | {type: "text", text: string}} message */
  control(message) {
    if (this.#opus !== null) this.#opus.afterEncoding(() => this.#send(message));
    else if (this.#ready) this.#send(message);
    else this.#pendingControls = [...this.#pendingControls, message].slice(-CONTROLS_KEPT);
  }

  /** The network is back: retry at once. */
  retryNow() {
    if (this.#retryTimer === 0) return;
    clearTimeout(this.#retryTimer);
    this.#reconnect();
  }

  hangUp() {
    this.#send({ type: "end" });
    this.#finish("ended", null);
  }

  /** @param {Int16Array<ArrayBuffer>} block */
  #transmit(block) {
    if (this.#opus === null) this.#socket?.send(block);
    else this.#opus.encode(block);
  }

  /** @param {object} message */
  #send(message) {
    if (this.#ready) this.#socket?.send(JSON.stringify(message));
  }

  async #connectWithOpus() {
    if (!(await supportsOpus())) this.#settings.codec = "pcm16";
    if (!this.#over) this.#connect();
  }

  #connect() {
    const socket = new WebSocket(this.#url, wire.SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(this.#firstMessage());
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(data);
    socket.onclose = ({ code }) => socket === this.#socket && this.#closed(code);
    this.#socket = socket;
    this.#refusal = null;
    this.#lastMessageAt = performance.now();
    this.#pingTimer = setInterval(() => this.#ping(), PING_MS);
  }

  #firstMessage() {
    const { mode, options, codec, persona, auth } = this.#settings;
    if (this.#resume !== null) return wire.resumeMessage(this.#resume, this.#received, codec);
    return wire.startMessage(mode, options, codec, persona, auth);
  }

  #ping() {
    if (this.#sleep.tick() > 0) this.#expectAnswerSoon();
    if (performance.now() - this.#lastMessageAt > SILENT_MS) this.#abandonSocket();
    else this.#send({ type: "ping", t: performance.now() });
  }

  /** The socket may have died while the machine slept: give it until the next ping to answer. */
  #expectAnswerSoon() {
    this.#slept = true;
    this.#lastMessageAt = performance.now() - SILENT_MS + PING_MS / 2;
  }

  /** Do not wait for the close: a dead socket may take minutes for it. */
  #abandonSocket() {
    const socket = this.#socket;
    this.#closed(1006);
    socket?.close();
  }

  /** @param {string | ArrayBuffer} data */
  #receive(data) {
    this.#lastMessageAt = performance.now();
    if (typeof data === "string") this.#event(JSON.parse(data));
    else if (this.#opus === null) this.#frame(wire.parseFrame(data), this.#callbacks.play);
    else this.#frame(wire.parseOpusFrame(data), (frame) => this.#opus?.decode(frame));
  }

  /**
   * @template {{number: number}} F
   * @param {F} frame
   * @param {(frame: F) => void} play
   */
  #frame(frame, play) {
    const missing = frame.number - this.#received - 1;
    if (missing !== 0) this.#callbacks.emit({ missing });
    if (missing < 0) return; // received before
    this.#received = frame.number;
    play(frame);
  }

  /** @param {wire.ServerMessage} event */
  #event(event) {
    const { emit } = this.#callbacks;
    if (event.type === "ready") this.#begin(event);
    else if (event.type === "ack") this.#outbox.acknowledge(event.samples);
    else if (event.type === "clear") this.#clear(event.generation, event.next_frame);
    else if (event.type === "skip") this.#received = event.last;
    else if (event.type === "error" && event.closes !== false) this.#refusal = event;
    if (event.type === "pong") emit({ roundTripMs: performance.now() - event.t });
    else emit({ event, at: performance.timeOrigin + performance.now() });
  }

  /** @param {wire.Ready} ready */
  #begin({ session, token, codec, outcome, next_sample, next_frame }) {
    if (outcome === "new" || outcome === "not_recovered") this.#callbacks.reset();
    if (outcome === "not_recovered") this.#outbox = new Outbox();
    this.#resume = { session, token };
    this.#received = next_frame - 1;
    this.#attempt = 0;
    this.#ready = true;
    if (codec === "opus") this.#opus = this.#openOpus();
    this.#slept = false;
    for (const block of this.#outbox.rewind(next_sample)) this.#transmit(block);
    // Send the settings again: the ones that changed during the outage reached no server.
    if (outcome !== "new") this.update(this.#settings);
    for (const message of this.#pendingControls.splice(0)) this.#send(message);
    this.#ping();
  }

  #openOpus() {
    const socket = this.#socket;
    return new OpusCodec({
      packet: (bytes) => socket === this.#socket && socket?.send(bytes),
      frame: (frame) => socket === this.#socket && this.#callbacks.play(frame),
      failed: () => {
        this.#settings.codec = "pcm16"; // for the next socket
        if (socket === this.#socket) this.#abandonSocket();
      },
    });
  }

  /**
   * @param {number} generation
   * @param {number} nextFrame
   */
  #clear(generation, nextFrame) {
    this.#received = nextFrame - 1;
    this.#callbacks.clear(generation);
  }

  /** @param {number} code the socket's close code */
  #closed(code) {
    this.#release();
    if (this.#over) return;
    if (this.#resume === null) this.#giveUp("unreachable");
    else if (FINAL.includes(code)) this.#giveUp("closed");
    else if (this.#attempt === RETRY_MS.length) this.#giveUp("lost");
    else this.#retry(Math.max(RETRY_MS[this.#attempt++], this.#refusal?.retry_after_ms ?? 0));
  }

  /** @param {number} aboutMs randomised, so that a gateway's callers do not all return at once */
  #retry(aboutMs) {
    const retryMs = aboutMs * (0.5 + Math.random());
    this.#callbacks.emit({ lost: { retryMs } });
    this.#retryTimer = setTimeout(() => this.#reconnect(), retryMs);
  }

  #reconnect() {
    this.#retryTimer = 0;
    if (!this.#over) this.#connect();
  }

  /** @param {string} code the reason, if the server sent none */
  #giveUp(code) {
    const reason = this.#refusal?.code ?? code;
    const slept = reason === "not_found" && this.#slept;
    this.#finish(slept ? "slept" : reason, this.#refusal?.retry_after_ms ?? null);
  }

  /**
   * @param {string} code
   * @param {number | null} retryAfterMs
   */
  #finish(code, retryAfterMs) {
    if (this.#over) return;
    this.#over = true;
    this.#socket?.close(1000);
    this.#release();
    this.#callbacks.emit({ over: { code, retryAfterMs } });
  }

  #release() {
    clearInterval(this.#pingTimer);
    this.#opus?.close();
    this.#opus = null;
    this.#ready = false;
    this.#socket = null;
  }
}
