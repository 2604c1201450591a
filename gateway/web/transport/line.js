// @ts-check
import { OpusCodec, supportsOpus } from "../audio/opus.js";
import { Nap } from "./nap.js";
import { Outbox } from "./outbox.js";
import * as wire from "./wire.js";

/**
 * A call's connection to the server: it opens the socket, goes on with the session on another
 * socket when one is lost, sends what was not acknowledged again, and keeps the frames' order.
 */

const PING_MS = 2_000;
const SILENT_MS = 8_000; // no word from the server for this long: the connection is dead
// Together a little longer than a session waits for its caller; then it is given up.
const RETRY_MS = [100, 250, 500, 1_000, 2_000, 4_000, ...Array(8).fill(8_000)];
const CONTROLS_KEPT = 4; // said while the connection is away
// Close codes after which the session cannot be resumed: the server has said why.
const FINAL = [1000, 4400, 4401, 4403, 4404, 4408, 4409, 4410, 4413, 4422, 4429];

/**
 * What the page is told. `at` is milliseconds since the epoch, on this machine's clock.
 * @typedef {{event: wire.ServerMessage, at: number}
 *   | {roundTripMs: number}
 *   | {missing: number}
 *   | {lost: {retryMs: number}}
 *   | {over: {code: string, retryAfterMs: number | null}}} News
 *
 * What the session is to be like, what its connections carry if they can, and what permits it.
 * @typedef {{mode: wire.Mode | null, options: wire.Options, codec: wire.Codec,
 *            persona: wire.Persona, auth: string | null}} Wishes
 *
 * @typedef {{play: (frame: wire.Frame) => void, clear: (generation: number) => void,
 *            reset: () => void, tell: (news: News) => void}} Ends
 */

export class Line {
  #url;
  /** @type {Wishes} */
  #wishes;
  /** @type {OpusCodec | null} */
  #opus = null; // of this connection; null: PCM16
  #ends;
  #outbox = new Outbox();
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {{session: string, token: string} | null} */
  #ticket = null;
  #ready = false;
  #received = 0; // the last frame
  #attempt = 0;
  #over = false;
  #heardAt = 0;
  #pinger = 0;
  #retrier = 0;
  #nap = new Nap(PING_MS);
  #slept = false; // since the last `ready`
  /** @type {object[]} */
  #unsaid = [];
  /** @type {wire.ServerMessage & {type: "error"} | null} */
  #refusal = null;

  /**
   * @param {string} url
   * @param {Wishes} wishes
   * @param {Ends} ends
   */
  constructor(url, wishes, ends) {
    this.#url = url;
    this.#wishes = wishes;
    this.#ends = ends;
    if (wishes.codec === "pcm16") this.#connect();
    else void this.#connectWithOpus();
  }

  /** @param {Int16Array<ArrayBuffer>} block the caller's next samples */
  say(block) {
    if (this.#over || (this.#ticket === null && !this.#ready)) return;
    this.#outbox.push(block);
    if (this.#ready) this.#transmit(block);
  }

  /** @param {number} frame the last one that the caller has heard */
  setPlayed(frame) {
    this.#send({ type: "played", frame });
  }

  /**
   * Change what the session is like, now or as soon as the connection is back.
   * @param {Partial<Wishes>} changed
   */
  wish({ mode = null, options = {} }) {
    const both = { ...this.#wishes.options, ...options };
    this.#wishes = { ...this.#wishes, mode: mode ?? this.#wishes.mode, options: both };
    if (mode !== null) this.#send({ type: "mode", mode });
    if (Object.keys(options).length > 0) this.#send({ type: "options", ...options });
  }

  /** @param {"commit" | "cancel"} type */
  control(type) {
    if (this.#opus !== null) this.#opus.afterwards(() => this.#send({ type }));
    else if (this.#ready) this.#send({ type });
    else this.#unsaid = [...this.#unsaid, { type }].slice(-CONTROLS_KEPT);
  }

  /** The network is back: do not wait for the next attempt's time. */
  hurry() {
    if (this.#retrier === 0) return;
    clearTimeout(this.#retrier);
    this.#again();
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
    if (!(await supportsOpus())) this.#wishes.codec = "pcm16";
    if (!this.#over) this.#connect();
  }

  #connect() {
    const socket = new WebSocket(this.#url, wire.SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(this.#greeting());
    socket.onmessage = ({ data }) => socket === this.#socket && this.#hear(data);
    socket.onclose = ({ code }) => socket === this.#socket && this.#closed(code);
    this.#socket = socket;
    this.#refusal = null;
    this.#heardAt = performance.now();
    this.#pinger = setInterval(() => this.#ping(), PING_MS);
  }

  #greeting() {
    const { mode, options, codec, persona, auth } = this.#wishes;
    if (this.#ticket !== null) return wire.resumeMessage(this.#ticket, this.#received, codec);
    return wire.startMessage(mode, options, codec, persona, auth);
  }

  #ping() {
    if (this.#nap.tick() > 0) this.#wakeUp();
    if (performance.now() - this.#heardAt > SILENT_MS) this.#abandon();
    else this.#send({ type: "ping", t: performance.now() });
  }

  /** The socket may have died in the machine's sleep: it gets one ping's time to prove its life. */
  #wakeUp() {
    this.#slept = true;
    this.#heardAt = performance.now() - SILENT_MS + PING_MS / 2;
  }

  /** A dead socket may take minutes to close; do not wait for it. */
  #abandon() {
    const socket = this.#socket;
    this.#closed(1006);
    socket?.close();
  }

  /** @param {string | ArrayBuffer} data */
  #hear(data) {
    this.#heardAt = performance.now();
    if (typeof data === "string") this.#event(JSON.parse(data));
    else if (this.#opus === null) this.#frame(wire.parseFrame(data), this.#ends.play);
    else this.#frame(wire.parsePackedFrame(data), (frame) => this.#opus?.decode(frame));
  }

  /**
   * @template {{number: number}} F
   * @param {F} frame
   * @param {(frame: F) => void} play
   */
  #frame(frame, play) {
    const missing = frame.number - this.#received - 1;
    if (missing !== 0) this.#ends.tell({ missing });
    if (missing < 0) return; // it was played already
    this.#received = frame.number;
    play(frame);
  }

  /** @param {wire.ServerMessage} event */
  #event(event) {
    if (event.type === "ready") this.#begin(event);
    else if (event.type === "ack") this.#outbox.acknowledge(event.samples);
    else if (event.type === "clear") this.#clear(event.generation, event.next_frame);
    else if (event.type === "skip") this.#received = event.last;
    else if (event.type === "error") this.#refusal = event;
    if (event.type === "pong") this.#ends.tell({ roundTripMs: performance.now() - event.t });
    else this.#ends.tell({ event, at: performance.timeOrigin + performance.now() });
  }

  /** @param {wire.Ready} ready */
  #begin({ session, token, codec, outcome, next_sample, next_frame }) {
    if (outcome === "new" || outcome === "not_recovered") this.#ends.reset();
    if (outcome === "not_recovered") this.#outbox = new Outbox();
    this.#ticket = { session, token };
    this.#received = next_frame - 1;
    this.#attempt = 0;
    this.#ready = true;
    if (codec === "opus") this.#opus = this.#openOpus();
    this.#slept = false;
    for (const block of this.#outbox.rewind(next_sample)) this.#transmit(block);
    if (outcome !== "new") this.wish(this.#wishes); // some may have been said to nobody
    for (const message of this.#unsaid.splice(0)) this.#send(message);
    this.#ping();
  }

  #openOpus() {
    const socket = this.#socket;
    return new OpusCodec({
      packet: (bytes) => socket === this.#socket && socket?.send(bytes),
      frame: (frame) => socket === this.#socket && this.#ends.play(frame),
      failed: () => {
        this.#wishes.codec = "pcm16"; // it broke: the next connection does without
        if (socket === this.#socket) this.#abandon();
      },
    });
  }

  /**
   * @param {number} generation
   * @param {number} nextFrame
   */
  #clear(generation, nextFrame) {
    this.#received = nextFrame - 1;
    this.#ends.clear(generation);
  }

  /** @param {number} code of the socket's end */
  #closed(code) {
    this.#release();
    if (this.#over) return;
    if (this.#ticket === null) this.#giveUp("unreachable");
    else if (FINAL.includes(code)) this.#giveUp("closed");
    else if (this.#attempt === RETRY_MS.length) this.#giveUp("lost");
    else this.#retry(Math.max(RETRY_MS[this.#attempt++], this.#refusal?.retry_after_ms ?? 0));
  }

  /** @param {number} aboutMs spread, so that a gateway's callers do not all come back at once */
  #retry(aboutMs) {
    const retryMs = aboutMs * (0.5 + Math.random());
    this.#ends.tell({ lost: { retryMs } });
    this.#retrier = setTimeout(() => this.#again(), retryMs);
  }

  #again() {
    this.#retrier = 0;
    if (!this.#over) this.#connect();
  }

  /** @param {string} code why, where the server did not say */
  #giveUp(code) {
    const said = this.#refusal?.code ?? code;
    const slept = said === "not_found" && this.#slept;
    this.#finish(slept ? "slept" : said, this.#refusal?.retry_after_ms ?? null);
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
    this.#ends.tell({ over: { code, retryAfterMs } });
  }

  #release() {
    clearInterval(this.#pinger);
    this.#opus?.close();
    this.#opus = null;
    this.#ready = false;
    this.#socket = null;
  }
}
