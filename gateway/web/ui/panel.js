// @ts-check
import { COME_BACK, HINTS, buttonText, comeBackIn, headline, notice, retryIn, trouble } from "../words.js";
import { Countdown } from "./countdown.js";
import { find } from "./find.js";
import { Hold } from "./hold.js";

/**
 * The controls and what they show: the call's phase, troubles in words, mute, mode and readouts.
 */

/**
 * @typedef {import("../phase.js").Phase} Phase
 * @typedef {import("../call.js").Manners} Manners
 * @typedef {"answer" | "round-trip" | "buffer" | "breaks"} Readout
 */

/** Phases in which a call is on: the button may be there to talk. */
const ON = ["listening", "thinking", "speaking", "reconnecting"];
const SHORT_RETRY_MS = 1_500; // is not worth a countdown
const NOTICE_MS = 12_000;

export class Panel {
  #stage = find(".stage", HTMLElement);
  #call = find("#call", HTMLButtonElement);
  #end = find("#end", HTMLButtonElement);
  #mute = find("#mute", HTMLButtonElement);
  #headline = find("#headline", HTMLElement);
  #trouble = find("#trouble", HTMLElement);
  #notice = find("#notice", HTMLElement);
  #countdown = new Countdown(find("#countdown", HTMLElement));
  #noticeTimer = 0;
  /** @type {Phase} */
  #phase = "idle";
  #held = false;
  /** @type {Manners} */
  #manners = "turn";
  /** @type {Hold | null} */
  #hold = null;
  /** @type {Manners | null} what the person chose; null leaves it to the server */
  chosen = null;

  get muted() {
    return this.#mute.getAttribute("aria-pressed") === "true";
  }

  /** Whether the button is there to talk, not to hang up. */
  get #talks() {
    return this.#manners === "hold" && ON.includes(this.#phase);
  }

  /**
   * @param {() => void} act runs inside the click: start, or hang up
   * @param {(held: boolean) => void} talk push-to-talk begins or ends
   */
  onCall(act, talk) {
    this.#call.onclick = () => this.#talks || act();
    this.#end.onclick = act;
    this.#hold = new Hold(this.#call, (held) => {
      this.#held = held;
      this.#show();
      talk(held);
    });
  }

  /** @param {(muted: boolean) => void} act */
  onMute(act) {
    this.#mute.onclick = () => {
      this.#mute.setAttribute("aria-pressed", String(!this.muted));
      this.#show();
      act(this.muted);
    };
  }

  /** @param {(manners: Manners) => void} act */
  onManners(act) {
    find("#mode", HTMLFieldSetElement).onchange = ({ target }) => {
      this.chosen = /** @type {Manners} */ (/** @type {HTMLInputElement} */ (target).value);
      this.showManners(this.chosen);
      act(this.chosen);
    };
  }

  /** @param {Manners} manners that the session has */
  showManners(manners) {
    this.#manners = manners;
    find(`#mode [value="${manners}"]`, HTMLInputElement).checked = true;
    find("#hint", HTMLElement).textContent = HINTS[manners];
    this.#show();
  }

  /** @param {Phase} phase */
  showPhase(phase) {
    if (phase === this.#phase) return;
    if (this.#phase === "reconnecting") this.#countdown.stop();
    this.#phase = phase;
    this.#show();
  }

  /** @param {number} retryMs until the next attempt to bring the connection back */
  showRetry(retryMs) {
    if (retryMs < SHORT_RETRY_MS) this.#countdown.stop();
    else this.#countdown.start(retryMs, retryIn, "Trying again now");
  }

  /**
   * @param {string} code of the server's error, or the page's own
   * @param {number | null} retryAfterMs
   */
  showTrouble(code, retryAfterMs) {
    const { title, advice } = trouble(code);
    find("#trouble strong", HTMLElement).textContent = title;
    find("#trouble span", HTMLElement).textContent = advice;
    this.#trouble.hidden = false;
    if (retryAfterMs !== null) this.#countdown.start(retryAfterMs, comeBackIn, COME_BACK);
  }

  clearTrouble() {
    this.#trouble.hidden = true;
    this.#countdown.stop();
  }

  /**
   * Say something that ends nothing; it goes after a while.
   * @param {string} code
   * @param {string} detail
   */
  showNotice(code, detail = "") {
    clearTimeout(this.#noticeTimer);
    this.#notice.textContent = notice(code, detail);
    this.#noticeTimer = setTimeout(() => (this.#notice.textContent = ""), NOTICE_MS);
  }

  /** No call can be made from this page. */
  disable() {
    this.#call.disabled = true;
    this.#call.textContent = buttonText("idle", null);
  }

  /**
   * @param {Readout} name
   * @param {string} value
   */
  showReadout(name, value) {
    const element = find(`#${name}`, HTMLElement);
    if (element.textContent !== value) element.textContent = value;
  }

  #show() {
    this.#hold?.enable(this.#talks);
    const held = this.#talks ? this.#held : null;
    this.#stage.dataset.phase = this.#phase;
    this.#stage.dataset.held = String(held);
    if (document.activeElement === this.#end && !this.#talks) this.#call.focus();
    this.#end.hidden = !this.#talks;
    say(this.#call, buttonText(this.#phase, held));
    say(this.#headline, headline(this.#phase, held, this.muted));
    if (held === null) this.#call.removeAttribute("aria-pressed");
    else this.#call.setAttribute("aria-pressed", String(held));
  }
}

/**
 * Assistive technology says it only when it is new.
 * @param {HTMLElement} element
 * @param {string} text
 */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
