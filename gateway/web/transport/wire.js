// @ts-check
/**
 * The WebSocket protocol `antiphon.v1` as this page speaks it: types, limits and the frame header.
 * Audio is PCM16 little-endian mono at 24 kHz, both ways.
 */

export const SUBPROTOCOL = "antiphon.v1";
export const SAMPLE_RATE = 24_000;
export const FRAME_SAMPLES = 480; // 20 ms
export const HEADER_BYTES = 12;
export const FRAME_BYTES = HEADER_BYTES + 2 * FRAME_SAMPLES;

/** Flags of a frame's header. */
export const FIRST_OF_REPLY = 1;
export const LAST_OF_REPLY = 2;

/**
 * One 20 ms frame of the assistant.
 * @typedef {object} Frame
 * @property {number} number counts the call's frames from 1
 * @property {number} generation of the reply it belongs to
 * @property {boolean} last of its reply
 * @property {Int16Array<ArrayBuffer>} pcm
 */

/** @typedef {"turn" | "stream"} Mode */
/** @typedef {"pcm16" | "opus"} Codec */

/**
 * What the assistant sounds like, by the model's own names; "" is the model's default.
 * @typedef {{voice: string, style: string}} Persona
 */

/**
 * A frame whose sound is an Opus packet.
 * @typedef {{number: number, generation: number, last: boolean,
 *            packet: Uint8Array<ArrayBuffer>}} PackedFrame
 */

/**
 * Settings of the session from here on; what is left out stays as it is.
 * @typedef {object} Options
 * @property {number} [vad_threshold] RMS of full scale under which nothing is speech
 * @property {number} [silence_ms] that ends a turn
 * @property {number} [min_speech_ms] that begins one
 * @property {number} [interrupt_ms] of speech that interrupts a reply
 * @property {boolean} [manual] push-to-talk: only `commit` ends a turn
 */

/**
 * What the server says in text.
 * @typedef {{type: "ready", session: string, token: string, mode: Mode, codec?: Codec,
 *            next_sample: number, next_frame: number, outcome: "new" | "recovered" | "skipped" | "not_recovered"}} Ready
 * @typedef {{type: "error", code: string, message: string, retry_after_ms?: number}} ServerError
 * @typedef {Ready | ServerError
 *   | {type: "ack", samples: number}
 *   | {type: "pong", t: number}
 *   | {type: "goaway", reason: string, resume_in_ms: number}
 *   | {type: "stats"}
 *   | {type: "speech_started", sample: number}
 *   | {type: "speech_stopped", sample: number}
 *   | {type: "heard", text: string, final: boolean, rough: boolean}
 *   | {type: "reply_started", generation: number, frame: number}
 *   | {type: "text", generation: number, frame: number, text: string}
 *   | {type: "reply_done", generation: number, frame: number, reason: string}
 *   | {type: "clear", generation: number, next_frame: number}
 *   | {type: "skip", first: number, last: number, reason: string}} ServerMessage
 */

/**
 * A binary message as a frame; its samples are a view of the message's buffer.
 * @param {ArrayBuffer} message
 * @returns {Frame}
 * @throws {RangeError} when the message is not exactly one frame.
 */
export function parseFrame(message) {
  if (message.byteLength !== FRAME_BYTES) {
    throw new RangeError(`Expected a frame of ${FRAME_BYTES} bytes, got ${message.byteLength}`);
  }
  const header = new DataView(message);
  return {
    number: header.getUint32(0, true),
    generation: header.getUint32(4, true),
    last: (header.getUint16(8, true) & LAST_OF_REPLY) !== 0,
    pcm: new Int16Array(message, HEADER_BYTES),
  };
}

/**
 * A binary message of a connection with Opus; its packet is a view of the message's buffer.
 * @param {ArrayBuffer} message
 * @returns {PackedFrame}
 * @throws {RangeError} when the message holds no packet.
 */
export function parsePackedFrame(message) {
  if (message.byteLength <= HEADER_BYTES) {
    throw new RangeError(`Expected more than ${HEADER_BYTES} bytes, got ${message.byteLength}`);
  }
  const header = new DataView(message);
  return {
    number: header.getUint32(0, true),
    generation: header.getUint32(4, true),
    last: (header.getUint16(8, true) & LAST_OF_REPLY) !== 0,
    packet: new Uint8Array(message, HEADER_BYTES),
  };
}

/**
 * The first message of a connection.
 * @param {Mode | null} mode null leaves the choice to the server.
 * @param {Options} options
 * @param {Codec} codec a wish: `ready` says what it became.
 * @param {Persona} persona
 * @param {string | null} auth the token that permits the call, where the server asks for one.
 */
export function startMessage(mode, options, codec, { voice, style }, auth) {
  const chosen = Object.keys(options).length > 0 ? { options } : {};
  const shown = auth === null ? {} : { auth };
  const sound = { ...wish(codec), ...(voice && { voice }), ...(style && { style }) };
  return JSON.stringify({ type: "start", ...(mode && { mode }), ...chosen, ...sound, ...shown });
}

/**
 * The first message of a connection that goes on with a session.
 * @param {{session: string, token: string}} ticket
 * @param {number} frame the last frame received, 0 for none.
 * @param {Codec} codec of this connection.
 */
export function resumeMessage(ticket, frame, codec) {
  const { session, token } = ticket;
  return JSON.stringify({ type: "start", resume: { session, token, frame }, ...wish(codec) });
}

/** @param {Codec} codec what is the default is not said: older servers do not know the word. */
function wish(codec) {
  return codec === "pcm16" ? {} : { codec };
}
