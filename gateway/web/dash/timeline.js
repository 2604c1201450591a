// @ts-check
/**
 * One session's records put on one axis: the caller's own time, in seconds of their audio. Input
 * records say their time; a step's is that of what it read; a frame's is when it was heard, by the
 * caller's reports. Nothing here draws or asks.
 */

const KEPT_S = 60;
const FRAME_S = 0.02;
const CHUNK_S = 0.08;

/**
 * @typedef {{id: number, type: string} & Record<string, any>} Shown
 * @typedef {import("./feed.js").SessionLine & {in: Shown[], steps: Shown[], out: Shown[]}} Answer
 * @typedef {{from: number, to: number}} Span
 * @typedef {{generation: number, first: number, next: number, done: boolean, cut: boolean}} Reply
 * @typedef {{at: number, text: string, mark: string}} Happening
 */

export class Timeline {
  /** The last numbers known of each stream: what a request asks for what comes after. */
  after = [0, 0, 0];
  /** @type {Happening[]} */
  happenings = [];
  /** @type {Span[]} */
  speech = [];
  /** @type {{at: number, speaks: boolean}[]} */
  steps = [];
  /** @type {Map<number, Reply>} */
  replies = new Map();
  /** @type {(number | null)[][]} caller's time, unread milliseconds, milliseconds ahead */
  lag = [[], [], []];
  end = 0;
  cursorAt = 0;
  heardTo = 0; // the last frame that was heard

  /** @type {Map<number, number>} input record -> its time */
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
    this.heardTo = answer.played;
    this.#owners(answer);
    if (shift > 0) this.#measure(answer);
    this.#forget();
  }

  /**
   * When a frame is or will be heard.
   * @param {number} frame
   */
  timeOf(frame) {
    const known = this.#played.find((p) => p.frame >= frame) ?? this.#played.at(-1);
    return known === undefined ? this.end : known.at + (frame - known.frame) * FRAME_S;
  }

  /** @param {Shown} record */
  #input(record) {
    this.#times.set(record.id, record.at_s);
    const { type, at_s: at } = record;
    if (type === "played") this.#played.push({ at, frame: record.frame });
    else if (type === "mode") this.#note(at, `mode ${record.mode}`, "·");
    else if (type === "commit") this.#note(at, "the caller ended the turn", "·");
    else if (type === "cancel") this.#note(at, "the caller cancelled the reply", "✕");
    else if (type === "detach") this.#note(at, "the connection was lost", "⚡");
    else if (type === "end") this.#note(at, "the caller hung up", "■");
  }

  /**
   * When an input record came. One that was read and trimmed between two looks is put before the
   * next one known, most of them being chunks.
   * @param {number} n
   */
  #timeOfInput(n) {
    const exact = this.#times.get(n);
    if (exact !== undefined) return exact;
    for (const [known, at] of this.#times) if (known > n) return at - (known - n) * CHUNK_S;
    return this.end;
  }

  /** @param {Shown} record */
  #step(record) {
    if (record.type !== "step") return;
    const at = this.#timeOfInput(record.cursor);
    this.cursorAt = at;
    this.steps.push({ at, speaks: record.speak !== 0 });
  }

  /** @param {Shown} record */
  #output(record) {
    const { type, generation } = record;
    if (type === "speech_started") this.#began(record.n);
    else if (type === "speech_stopped") this.#ended(record.n);
    else if (type === "speech") this.#reply(generation, record.frame).next = record.frame + record.frames;
    else if (type === "reply_started") this.#replyBegan(generation, record.frame);
    else if (type === "reply_done") this.#replyDone(record);
    else if (type === "clear") this.#cut(generation, record.next_frame);
    else if (type === "skip") this.#note(this.end, `frames ${record.first} to ${record.last} skipped: ${record.reason}`, "…");
  }

  /** @param {number} n */
  #began(n) {
    const from = this.#timeOfInput(n) - CHUNK_S;
    this.speech.push({ from, to: Infinity });
    this.#note(from, "the caller began to speak", "▸");
  }

  /** @param {number} n */
  #ended(n) {
    const to = this.#timeOfInput(n);
    const last = this.speech.at(-1);
    if (last !== undefined && last.to === Infinity) last.to = to;
    this.#note(to, "the turn was over", "▪");
  }

  /**
   * @param {number} generation
   * @param {number} frame
   */
  #reply(generation, frame) {
    const known = this.replies.get(generation);
    if (known !== undefined) return known;
    const reply = { generation, first: frame, next: frame, done: false, cut: false };
    this.replies.set(generation, reply);
    return reply;
  }

  /**
   * @param {number} generation
   * @param {number} frame
   */
  #replyBegan(generation, frame) {
    this.#reply(generation, frame);
    this.#note(this.end, `reply ${generation} began`, "▸");
  }

  /** @param {Shown} record */
  #replyDone({ generation, frame, reason }) {
    const reply = this.#reply(generation, frame);
    reply.next = frame;
    reply.done = true;
    const seconds = ((frame - reply.first) * FRAME_S).toFixed(1);
    this.#note(this.end, `reply ${generation} is whole: ${seconds} s (${reason})`, "▪");
  }

  /**
   * @param {number} generation
   * @param {number} nextFrame
   */
  #cut(generation, nextFrame) {
    const reply = this.#reply(generation, nextFrame);
    reply.next = Math.min(reply.next, nextFrame);
    reply.done = reply.cut = true;
    this.#note(this.end, `reply ${generation} was interrupted`, "✕");
  }

  /** @param {Answer} answer */
  #owners({ worker, gateway, owners }) {
    const named = worker ?? "";
    if (this.#worker === "" && named !== "") {
      const before = owners > 1 ? `, the ${owners - 1} before it are gone` : "";
      this.#note(this.end, `worker ${named} has the session${before}`, "◆");
    } else if (named !== this.#worker && named !== "") {
      this.#note(this.end, `takeover: worker ${this.#worker} → ${named}`, "◆");
    }
    if (this.#gateway !== "" && gateway !== null && gateway !== this.#gateway) {
      this.#note(this.end, `gateway ${this.#gateway} → ${gateway}`, "◆");
    }
    this.#worker = named || this.#worker;
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
    this.happenings.push({ at, text, mark });
  }

  /** What left the picture is given up: a session may last for hours. */
  #forget() {
    const oldest = this.end - KEPT_S;
    this.happenings = this.happenings.slice(-200);
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
