// @ts-check
/**
 * Puts one session's records on one axis: the caller's time, in seconds of their audio. An input
 * record states its time. A step has the time of the input that it read, and a frame the time at
 * which the caller reported it as played. This module neither draws nor fetches.
 */

const KEPT_S = 60;
const FRAME_S = 0.02;
const CHUNK_S = 0.08;
const EVENTS_KEPT = 200;

/**
 * @typedef {{id: number, type: string} & Record<string, any>} LogRecord
 * @typedef {import("./feed.js").SessionLine & {in: LogRecord[], steps: LogRecord[],
 *            out: LogRecord[]}} Answer
 * @typedef {{from: number, to: number}} Span
 *
 * `next`: the number after the last frame.
 * @typedef {{generation: number, first: number, next: number, done: boolean}} Reply
 * @typedef {{at: number, text: string, mark: string}} TimelineEvent
 */

export class Timeline {
  /** The last known record number of each stream; the next request asks for later ones. */
  after = [0, 0, 0];
  /** @type {TimelineEvent[]} */
  events = [];
  /** @type {Span[]} */
  speech = [];
  /** @type {{at: number, speaks: boolean}[]} */
  steps = [];
  /** @type {Map<number, Reply>} */
  replies = new Map();
  /** @type {(number | null)[][]} the caller's time, unread milliseconds, milliseconds ahead */
  lag = [[], [], []];
  end = 0;
  cursorAt = 0;
  lastPlayed = 0; // a frame

  /** @type {Map<number, number>} the time of each input record */
  #times = new Map();
  /** @type {{at: number, frame: number}[]} */
  #played = [];
  #worker = "";
  #gateway = "";

  /** @param {Answer} answer */
  add(answer) {
    const shift = answer.seconds - this.end;
    this.end = answer.seconds;
    for (const record of answer.in) this.#input(record);
    for (const record of answer.steps) this.#step(record);
    for (const record of answer.out) this.#output(record);
    [answer.in, answer.steps, answer.out].forEach((records, i) => {
      this.after[i] = records.at(-1)?.id ?? this.after[i];
    });
    this.lastPlayed = answer.played;
    this.#noteOwners(answer);
    if (shift > 0) this.#measure(answer);
    this.#forget();
  }

  /**
   * When a frame was or will be played.
   * @param {number} frame
   */
  timeOf(frame) {
    const known = this.#played.find((p) => p.frame >= frame) ?? this.#played.at(-1);
    return known === undefined ? this.end : known.at + (frame - known.frame) * FRAME_S;
  }

  /** @param {LogRecord} record */
  #input(record) {
    this.#times.set(record.id, record.at_s);
    const { type, at_s: at } = record;
    if (type === "played") this.#played.push({ at, frame: record.frame });
    else if (type === "mode") this.#note(at, `Mode changed to ${record.mode}`, "·");
    else if (type === "commit") this.#note(at, "Caller ended the turn", "·");
    else if (type === "cancel") this.#note(at, "Caller cancelled the reply", "✕");
    else if (type === "detach") this.#note(at, "Connection lost", "⚡");
    else if (type === "end") this.#note(at, "Caller hung up", "■");
  }

  /**
   * The time of an input record. One that was trimmed between two requests is placed before the
   * next known one, as if all records between them were chunks.
   * @param {number} n
   */
  #timeOfInput(n) {
    const exact = this.#times.get(n);
    if (exact !== undefined) return exact;
    for (const [known, at] of this.#times) if (known > n) return at - (known - n) * CHUNK_S;
    return this.end;
  }

  /** @param {LogRecord} record */
  #step(record) {
    if (record.type !== "step") return;
    const at = this.#timeOfInput(record.cursor);
    this.cursorAt = at;
    this.steps.push({ at, speaks: record.speak !== 0 });
  }

  /** @param {LogRecord} record */
  #output(record) {
    const { type, generation } = record;
    if (type === "speech_started") this.#beginSpeech(record.n);
    else if (type === "speech_stopped") this.#endSpeech(record.n);
    else if (type === "speech") this.#extendReply(record);
    else if (type === "reply_started") this.#beginReply(generation, record.frame);
    else if (type === "reply_done") this.#endReply(record);
    else if (type === "clear") this.#interrupt(generation, record.next_frame);
    else if (type === "skip") this.#skip(record);
  }

  /** @param {LogRecord} record */
  #extendReply({ generation, frame, frames }) {
    this.#reply(generation, frame).next = frame + frames;
  }

  /** @param {LogRecord} record */
  #skip({ first, last, reason }) {
    this.#note(this.end, `Frames ${first} to ${last} skipped: ${reason}`, "…");
  }

  /** @param {number} n */
  #beginSpeech(n) {
    const from = this.#timeOfInput(n) - CHUNK_S;
    this.speech.push({ from, to: Infinity });
    this.#note(from, "Caller started speaking", "▸");
  }

  /** @param {number} n */
  #endSpeech(n) {
    const to = this.#timeOfInput(n);
    const last = this.speech.at(-1);
    if (last !== undefined && last.to === Infinity) last.to = to;
    this.#note(to, "Turn ended", "▪");
  }

  /**
   * @param {number} generation
   * @param {number} frame
   */
  #reply(generation, frame) {
    const known = this.replies.get(generation);
    if (known !== undefined) return known;
    const reply = { generation, first: frame, next: frame, done: false };
    this.replies.set(generation, reply);
    return reply;
  }

  /**
   * @param {number} generation
   * @param {number} frame
   */
  #beginReply(generation, frame) {
    this.#reply(generation, frame);
    this.#note(this.end, `Reply ${generation} started`, "▸");
  }

  /** @param {LogRecord} record */
  #endReply({ generation, frame, reason }) {
    const reply = this.#reply(generation, frame);
    reply.next = frame;
    reply.done = true;
    const seconds = ((frame - reply.first) * FRAME_S).toFixed(1);
    this.#note(this.end, `Reply ${generation} complete: ${seconds} s (${reason})`, "▪");
  }

  /**
   * @param {number} generation
   * @param {number} nextFrame
   */
  #interrupt(generation, nextFrame) {
    const reply = this.#reply(generation, nextFrame);
    reply.next = Math.min(reply.next, nextFrame);
    reply.done = true;
    this.#note(this.end, `Reply ${generation} interrupted`, "✕");
  }

  /** @param {Answer} answer */
  #noteOwners({ worker, gateway, owners }) {
    const owner = worker ?? "";
    if (this.#worker === "" && owner !== "") {
      const before = owners > 1 ? ` (owner number ${owners})` : "";
      this.#note(this.end, `Worker ${owner} owns the session${before}`, "◆");
    } else if (owner !== this.#worker && owner !== "") {
      this.#note(this.end, `Takeover: worker ${this.#worker} → ${owner}`, "◆");
    }
    if (this.#gateway !== "" && gateway !== null && gateway !== this.#gateway) {
      this.#note(this.end, `Gateway ${this.#gateway} → ${gateway}`, "◆");
    }
    this.#worker = owner || this.#worker;
    this.#gateway = gateway ?? this.#gateway;
  }

  /** @param {Answer} answer */
  #measure({ seconds, unread_ms, ahead_ms }) {
    this.lag[0].push(seconds);
    this.lag[1].push(unread_ms);
    this.lag[2].push(ahead_ms);
  }

  /**
   * @param {number} at
   * @param {string} text
   * @param {string} mark
   */
  #note(at, text, mark) {
    this.events.push({ at, text, mark });
  }

  /** Drop what is older than the timeline shows: a session may last for hours. */
  #forget() {
    const oldest = this.end - KEPT_S;
    this.events = this.events.slice(-EVENTS_KEPT);
    this.steps = this.steps.filter((step) => step.at > oldest);
    this.speech = this.speech.filter((span) => span.to > oldest);
    this.#played = this.#played.filter((p, i, all) => p.at > oldest || i === all.length - 1);
    for (const [n, at] of this.#times) if (at < oldest) this.#times.delete(n);
    for (const [generation, reply] of this.replies) {
      if (reply.done && this.timeOf(reply.next) < oldest) this.replies.delete(generation);
    }
    const drop = this.lag[0].findIndex((at) => (at ?? 0) > oldest);
    if (drop > 0) this.lag = this.lag.map((values) => values.slice(drop));
  }
}
