// @ts-check
/**
 * Who spoke, and the words of the replies, which darken as they are heard. A reply that was
 * interrupted is marked where it was cut; the words behind the mark were never heard. The caller's
 * words are as the server heard them, and are marked as rough.
 */

const KEPT = 200; // entries
const NEAR_PX = 40; // of the end: at the end
const SAMPLES_A_SECOND = 24_000;
const NO_WORDS_YET = "…";

/**
 * @typedef {import("../transport/wire.js").ServerMessage} ServerMessage
 * @typedef {{element: HTMLElement, frame: number, text: string}} Piece `frame`: where it begins
 * @typedef {{said: HTMLElement, generation: number, pieces: Piece[], spoken: number}} Reply
 *   `spoken`: how many pieces have begun to be heard
 */

export class Transcript {
  #list;
  /** @type {{said: HTMLElement, sample: number} | null} the caller's turn that goes on */
  #turn = null;
  /** @type {HTMLElement | null} what the caller said last */
  #said = null;
  /** @type {number | null} the sample with which that began */
  #began = null;
  /** @type {Reply | null} the last reply */
  #reply = null;
  #played = 0;
  #following = true; // who scrolls back to read is left there

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
    list.onscroll = () => {
      this.#following = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_PX;
    };
  }

  clear() {
    this.#list.replaceChildren();
    this.#turn = this.#said = null;
    this.#reply = null;
    this.#played = 0;
    this.#following = true;
  }

  /** @param {ServerMessage} event */
  add(event) {
    if (event.type === "speech_started") this.#beginTurn(event.sample);
    else if (event.type === "speech_stopped") this.#endTurn(event.sample);
    else if (event.type === "heard") this.#hear(event.text, event.final, event.rough);
    else if (event.type === "reply_started") this.#beginReply(event.generation);
    else if (event.type === "text") this.#speak(event.generation, event.frame, event.text);
    else if (event.type === "clear") this.#cut(event.generation, event.next_frame);
    else if (event.type === "reply_done") this.#endReply(event.generation);
  }

  /** @param {number} frame the last one that was heard */
  setPlayed(frame) {
    this.#played = frame;
    const reply = this.#reply;
    if (reply === null) return;
    while (reply.spoken < reply.pieces.length && reply.pieces[reply.spoken].frame <= frame) {
      reply.pieces[reply.spoken++].element.className = "heard";
    }
  }

  /** @param {number} sample */
  #beginTurn(sample) {
    if (this.#said !== null && sample === this.#began) {
      this.#goOn(this.#said, sample);
      return;
    }
    this.#began = sample;
    this.#turn?.said.closest("li")?.remove(); // it came to nothing
    this.#said = this.#entry("caller", "You", "speaking …");
    this.#said.setAttribute("aria-live", "off"); // nobody needs to be told what they say
    this.#turn = { said: this.#said, sample };
  }

  /**
   * The caller goes on with the same turn: the reply to its first part was withdrawn.
   * @param {HTMLElement} said
   * @param {number} sample
   */
  #goOn(said, sample) {
    const entry = said.closest("li");
    while (entry?.nextSibling) entry.nextSibling.remove();
    this.#reply = null;
    this.#turn = { said, sample };
  }

  /** @param {number} sample */
  #endTurn(sample) {
    if (this.#turn === null) return;
    const seconds = Math.max(0, sample - this.#turn.sample) / SAMPLES_A_SECOND;
    this.#turn.said.textContent = `spoke for ${seconds.toFixed(1)} s`;
    this.#turn = null;
  }

  /**
   * @param {string} text of the caller's last turn, so far
   * @param {boolean} final it is all of it
   * @param {boolean} rough letters as they sounded instead of words
   */
  #hear(text, final, rough) {
    if (this.#said === null) return;
    this.#said.replaceChildren(part(rough ? "rough" : "words", text));
    if (!final) this.#said.append(" …");
    else if (rough) this.#said.append(" ", part("note", "roughly"));
    this.#showNewest();
  }

  /**
   * @param {number} generation
   * @returns {Reply}
   */
  #beginReply(generation) {
    if (this.#reply?.generation === generation) return this.#reply;
    this.#list.setAttribute("aria-busy", "true"); // said when whole, not word by word
    const said = this.#entry("reply", "Antiphon", NO_WORDS_YET);
    this.#reply = { said, generation, pieces: [], spoken: 0 };
    return this.#reply;
  }

  /**
   * @param {number} generation
   * @param {number} frame the words begin with
   * @param {string} text
   */
  #speak(generation, frame, text) {
    const { said, pieces } = this.#beginReply(generation);
    if (pieces.length === 0) said.textContent = "";
    const element = part("coming", text);
    pieces.push({ element, frame, text });
    said.append(element);
    this.setPlayed(this.#played);
    this.#showNewest();
  }

  /**
   * @param {number} generation
   * @param {number} nextFrame behind the last one that was made
   */
  #cut(generation, nextFrame) {
    if (this.#reply?.generation !== generation) return;
    const { said, pieces } = this.#reply;
    const lost = pieces.map((piece, i) => {
      const end = pieces[i + 1]?.frame ?? nextFrame;
      return split(piece, heardShare(piece.frame, end, this.#played));
    });
    const unheard = document.createElement("s");
    unheard.textContent = lost.join("").trim();
    this.#endReply(generation);
    said.append(part("cut", "cut off"), " ", unheard);
  }

  /** @param {number} generation */
  #endReply(generation) {
    if (this.#reply?.generation !== generation) return;
    const { said } = this.#reply;
    if (said.textContent === NO_WORDS_YET) said.textContent = "sound without words";
    this.#list.removeAttribute("aria-busy");
  }

  /**
   * @param {"caller" | "reply"} side
   * @param {string} name
   * @param {string} text
   */
  #entry(side, name, text) {
    const entry = document.createElement("li");
    entry.className = side;
    const said = part("said", text);
    entry.append(part("who", name), said);
    this.#list.append(entry);
    if (this.#list.childElementCount > KEPT) this.#list.firstElementChild?.remove();
    this.#showNewest();
    return said;
  }

  #showNewest() {
    if (this.#following) this.#list.scrollTop = this.#list.scrollHeight;
  }
}

/**
 * How much of what goes from one frame to before another was heard, 0 to 1.
 * @param {number} first
 * @param {number} end
 * @param {number} played
 */
function heardShare(first, end, played) {
  if (played < first) return 0;
  return Math.min(1, (played + 1 - first) / Math.max(1, end - first));
}

/**
 * Leave of the piece the words that were heard; whole words, as nearly as the share tells.
 * @param {Piece} piece
 * @param {number} share 0 to 1
 * @returns {string} the rest
 */
function split({ element, text }, share) {
  const letters = Math.floor(share * text.length);
  const whole = letters === text.length || /\s/.test(text[letters]);
  const heard = text.slice(0, letters).replace(whole ? "" : /\S+$/, "");
  element.textContent = heard;
  return text.slice(heard.length);
}

/**
 * @param {string} name the class
 * @param {string} text
 */
function part(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}
