// @ts-check
/**
 * Who spoke, and the words of the replies. A reply that was interrupted is marked as cut, and of
 * its words those that were never heard are struck.
 */

const KEPT = 200; // entries
const SAMPLES_A_SECOND = 24_000;
const NO_WORDS_YET = "…";

/** @typedef {import("../transport/wire.js").ServerMessage} ServerMessage */

export class Transcript {
  #list;
  /** @type {{said: HTMLElement, sample: number} | null} the caller's turn that goes on */
  #turn = null;
  /** @type {{said: HTMLElement, generation: number} | null} the last reply */
  #reply = null;

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
  }

  clear() {
    this.#list.replaceChildren();
    this.#turn = null;
    this.#reply = null;
  }

  /**
   * @param {ServerMessage} event
   * @param {number} played the last frame that was heard
   */
  add(event, played) {
    if (event.type === "speech_started") this.#beginTurn(event.sample);
    else if (event.type === "speech_stopped") this.#endTurn(event.sample);
    else if (event.type === "reply_started") this.#beginReply(event.generation);
    else if (event.type === "text") this.#speak(event.generation, event.frame, event.text);
    else if (event.type === "clear") this.#cut(event.generation, played);
    else if (event.type === "reply_done") this.#endReply(event.generation);
  }

  /** @param {number} sample */
  #beginTurn(sample) {
    this.#turn?.said.closest("li")?.remove(); // it came to nothing
    this.#turn = { said: this.#entry("caller", "You", "speaking …"), sample };
  }

  /** @param {number} sample */
  #endTurn(sample) {
    if (this.#turn === null) return;
    const seconds = Math.max(0, sample - this.#turn.sample) / SAMPLES_A_SECOND;
    this.#turn.said.textContent = `spoke for ${seconds.toFixed(1)} s`;
    this.#turn = null;
  }

  /** @param {number} generation */
  #beginReply(generation) {
    if (this.#reply?.generation === generation) return this.#reply.said;
    this.#list.setAttribute("aria-busy", "true"); // said when whole, not word by word
    const said = this.#entry("reply", "Antiphon", NO_WORDS_YET);
    this.#reply = { said, generation };
    return said;
  }

  /**
   * @param {number} generation
   * @param {number} frame the words begin with
   * @param {string} text
   */
  #speak(generation, frame, text) {
    const said = this.#beginReply(generation);
    if (said.childElementCount === 0) said.textContent = "";
    const piece = document.createElement("span");
    piece.dataset.frame = String(frame);
    piece.textContent = text;
    said.append(piece);
    this.#showNewest();
  }

  /**
   * @param {number} generation
   * @param {number} played
   */
  #cut(generation, played) {
    if (this.#reply?.generation !== generation) return;
    const { said } = this.#reply;
    for (const piece of said.querySelectorAll("span")) {
      piece.classList.toggle("unheard", Number(piece.dataset.frame) > played);
    }
    this.#endReply(generation);
    const mark = document.createElement("em");
    mark.className = "cut";
    mark.textContent = "— cut off";
    said.append(mark);
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
    this.#list.scrollTop = this.#list.scrollHeight;
  }
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
