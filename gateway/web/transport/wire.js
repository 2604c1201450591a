// @ts-check
/**
 * The page's side of the WebSocket protocol `antiphon.v1`: message types and the frame header.
 * Audio is little-endian PCM16, mono at 24 kHz, in both directions.
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
 * @property {number} number its place in the call, from 1
 * @property {number} generation the reply that it belongs to
 * @property {boolean} last whether it ends its reply
 * @property {Int16Array<ArrayBuffer>} pcm
 */

/** @typedef {"turn" | "stream"} Mode */
/** @typedef {"pcm16" | "opus"} Codec */

/**
 * The assistant's voice and style, by the model's own names; "" is the model's default.
 * @typedef {{voice: string, style: string}} Persona
 */

/**
 * A frame with an Opus packet as its audio.
 * @typedef {{number: number, generation: number, last: boolean,
 *            packet: Uint8Array<ArrayBuffer>}} OpusFrame
 */

/**
 * Settings of the session; a field that is left out keeps its value.
 * @typedef {object} Options
 * @property {number} [vad_threshold] RMS of full scale below which nothing counts as speech
 * @property {number} [silence_ms] the pause that ends a turn
 * @property {number} [min_speech_ms] the speech that starts a turn
 * @property {number} [interrupt_ms] the speech that interrupts a reply
 * @property {boolean} [manual] push-to-talk: only `commit` ends a turn
 * @property {boolean} [reports] push-to-talk: `speech_stopped` also tells of the caller's pauses
 */

/**
 * The server's JSON messages.
 * @typedef {{type: "ready", session: string, token: string, mode: Mode, codec?: Codec,
 *            next_sample: number, next_frame: number, text?: boolean,
 *            outcome: "new" | "recovered" | "skipped" | "not_recovered"}} Ready
 * @typedef {{type: "error", code: string, message: string, retry_after_ms?: number,
 *            closes?: boolean}} ServerError
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
 * Parse a binary message; the samples are a view of its buffer.
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
 * Parse a binary message of a connection with Opus; the packet is a view of its buffer.
 * @param {ArrayBuffer} message
 * @returns {OpusFrame}
 * @throws {RangeError} when the message has no packet.
 */
export function parseOpusFrame(message) {
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
 * @param {Mode | null} mode null: the server's choice.
 * @param {Options} options
 * @param {Codec} codec a request: `ready` has the actual codec.
 * @param {Persona} persona
 * @param {string | null} auth the token that permits the call, if the server requires one.
 */
export function startMessage(mode, options, codec, { voice, style }, auth) {
  return JSON.stringify({
    type: "start",
    ...(mode && { mode }),
    ...(Object.keys(options).length > 0 && { options }),
    ...codecField(codec),
    ...(voice && { voice }),
    ...(style && { style }),
    ...(auth !== null && { auth }),
  });
}

/**
 * The first message of a connection that resumes a session.
 * @param {{session: string, token: string}} resume
 * @param {number} frame the last received frame; 0 for none.
 * @param {Codec} codec a request for this connection.
 */
export function resumeMessage({ session, token }, frame, codec) {
  return JSON.stringify({ type: "start", resume: { session, token, frame }, codec });
}

/** @param {Codec} codec the default is left out, because older servers do not know the field. */
function codecField(codec) {
  return codec === "pcm16" ? {} : { codec };
}
