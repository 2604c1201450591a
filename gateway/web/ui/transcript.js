// @ts-check
import { SAMPLE_RATE } from "../transport/wire.js";
import { TRANSCRIPT } from "../words.js";

/**
 * The transcript: the caller's words as the server understood them, and the replies, whose words
 * darken as they are played. An interrupted reply is marked where its audio stopped, and the words
 * that were not played are struck through.
 */

const ENTRIES_KEPT = 200;
const NEAR_PX = 40; // this close to the end, the list keeps scrolling to the newest entry

/**
 * `frame`: the first frame of these words.
 * @typedef {{element: HTMLElement, frame: number, text: string}} Piece
 *
 * `played`: how many pieces have begun to play.
 * @typedef {{line: HTMLElement, generation: number, pieces: Piece[], played: number}} Reply
 *
 * `sample`: where the turn began.
 * @typedef {{line: HTMLElement, sample: number, hasWords: boolean, inProgress: boolean}} Turn
 *
 * @typedef {import("../transport/wire.js").ServerMessage} ServerMessage
 */

export class Transcript {
  #list;
  /** @type {Turn | null} the caller's last turn */
  #turn = null;
  /** @type {Reply | null} the last reply */
  #reply = null;
  #played = 0;
  #following = true; // false while the person reads an earlier part

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
    list.onscroll = () => {
      this.#following = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_PX;
    };
  }

  clear() {
    this.#list.replaceChildren();
    this.#turn = null;
    this.#reply = null;
    this.#played = 0;
    this.#following = true;
  }

  /** @param {ServerMessage} event */
  add(event) {
    if (event.type === "speech_started") this.#beginTurn(event.sample);
    else if (event.type === "speech_stopped") this.#endTurn(event.sample);
    else if (event.type === "heard") this.#showCallerWords(event);
    else if (event.type === "reply_started") this.#beginReply(event.generation);
    else if (event.type === "text") this.#addPiece(event.generation, event.frame, event.text);
    else if (event.type === "clear") this.#interrupt(event.generation, event.next_frame);
    else if (event.type === "reply_done") this.#endReply(event.generation);
  }

  /**
   * A turn in writing, or the end of the one that the caller is speaking. Its `heard` is to come.
   * @param {string} text
   */
  addTyped(text) {
    if (this.#turn?.inProgress) return;
    const line = this.#addLine("caller", TRANSCRIPT.caller, text);
    this.#turn = { line, sample: -1, hasWords: true, inProgress: false };
  }

  /** @param {number} frame the last one that was played */
  setPlayed(frame) {
    this.#played = frame;
    const reply = this.#reply;
    if (reply === null) return;
    while (reply.played < reply.pieces.length && reply.pieces[reply.played].frame <= frame) {
      reply.pieces[reply.played++].element.className = "played";
    }
  }

  /** @param {number} sample */
  #beginTurn(sample) {
    if (this.#turn?.sample === sample) return this.#continueTurn(this.#turn);
    if (this.#turn?.inProgress) this.#turn.line.closest("li")?.remove(); // it never ended
    const line = this.#addLine("caller", TRANSCRIPT.caller, TRANSCRIPT.speaking);
    line.setAttribute("aria-live", "off"); // people know what they say
    this.#turn = { line, sample, hasWords: false, inProgress: true };
  }

  /**
   * The caller continues the same turn, so the reply to its first part was withdrawn.
   * @param {Turn} turn
   */
  #continueTurn(turn) {
    const entry = turn.line.closest("li");
    while (entry?.nextSibling) entry.nextSibling.remove();
    this.#reply = null;
    turn.inProgress = true;
  }

  /** @param {number} sample */
  #endTurn(sample) {
    if (!this.#turn?.inProgress) return;
    this.#turn.inProgress = false;
    const { line, sample: start, hasWords } = this.#turn;
    const seconds = Math.max(0, sample - start) / SAMPLE_RATE;
    if (!hasWords) line.textContent = TRANSCRIPT.spokeFor(seconds);
  }

  /**
   * Show the words of the caller's last turn so far; each message replaces the one before.
   * @param {Extract<ServerMessage, {type: "heard"}>} event
   */
  #showCallerWords({ text, final, rough }) {
    if (this.#turn === null) return;
    this.#turn.hasWords = true;
    const { line } = this.#turn;
    const words = span(rough ? "rough" : "exact", text);
    if (!final) line.replaceChildren(words, " ", TRANSCRIPT.partial);
    else if (rough) line.replaceChildren(words, " ", span("note", TRANSCRIPT.rough));
    else line.replaceChildren(words);
    this.#showNewest();
  }

  /**
   * @param {number} generation
   * @returns {Reply}
   */
  #beginReply(generation) {
    if (this.#reply?.generation === generation) return this.#reply;
    this.#list.setAttribute("aria-busy", "true"); // read out as a whole, not word by word
    const line = this.#addLine("reply", TRANSCRIPT.assistant, TRANSCRIPT.noWordsYet);
    this.#reply = { line, generation, pieces: [], played: 0 };
    return this.#reply;
  }

  /**
   * @param {number} generation
   * @param {number} frame the first one of these words
   * @param {string} text
   */
  #addPiece(generation, frame, text) {
    const { line, pieces } = this.#beginReply(generation);
    if (pieces.length === 0) line.textContent = "";
    const element = span("upcoming", text);
    pieces.push({ element, frame, text });
    line.append(element);
    this.setPlayed(this.#played);
    this.#showNewest();
  }

  /**
   * @param {number} generation
   * @param {number} nextFrame the one after the reply's last frame
   */
  #interrupt(generation, nextFrame) {
    if (this.#reply?.generation !== generation) return;
    const { line, pieces } = this.#reply;
    const rest = pieces.map((piece, i) => {
      const end = pieces[i + 1]?.frame ?? nextFrame;
      return cutPiece(piece, playedShare(piece.frame, end, this.#played));
    });
    const unplayed = document.createElement("s");
    unplayed.textContent = rest.join("").trim();
    this.#endReply(generation);
    line.append(span("interrupted", TRANSCRIPT.interrupted), " ", unplayed);
  }

  /** @param {number} generation */
  #endReply(generation) {
    if (this.#reply?.generation !== generation) return;
    const { line } = this.#reply;
    if (line.textContent === TRANSCRIPT.noWordsYet) {
      line.replaceChildren(span("placeholder", TRANSCRIPT.noWords));
    }
    this.#list.removeAttribute("aria-busy");
  }

  /**
   * Add an entry. Returns the element that holds its text.
   * @param {"caller" | "reply"} side
   * @param {string} name
   * @param {string} text
   */
  #addLine(side, name, text) {
    const entry = document.createElement("li");
    entry.className = side;
    const line = span("line", text);
    entry.append(span("speaker", name), line);
    this.#list.append(entry);
    if (this.#list.childElementCount > ENTRIES_KEPT) this.#list.firstElementChild?.remove();
    this.#showNewest();
    return line;
  }

  #showNewest() {
    if (this.#following) this.#list.scrollTop = this.#list.scrollHeight;
  }
}

/**
 * The share of the frames from `first` to before `end` that was played, 0 to 1.
 * @param {number} first
 * @param {number} end
 * @param {number} played
 */
function playedShare(first, end, played) {
  if (played < first) return 0;
  return Math.min(1, (played + 1 - first) / Math.max(1, end - first));
}

/**
 * Cut the piece after the last whole word that was played.
 * @param {Piece} piece
 * @param {number} share that was played, 0 to 1
 * @returns {string} the rest
 */
function cutPiece({ element, text }, share) {
  const letters = Math.floor(share * text.length);
  const betweenWords = letters === text.length || /\s/.test(text[letters]);
  const played = text.slice(0, letters).replace(betweenWords ? "" : /\S+$/, "");
  element.textContent = played;
  return text.slice(played.length);
}

/**
 * @param {string} className
 * @param {string} text
 */
function span(className, text) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}
