// @ts-check
import {
  COME_BACK,
  HINTS,
  RETRY_NOW,
  buttonText,
  comeBackIn,
  headline,
  invitation,
  notice,
  retryIn,
  trouble,
} from "../words.js";
import { Countdown } from "./countdown.js";
import { find } from "./find.js";
import { PushToTalk } from "./push-to-talk.js";

/**
 * The call's controls and messages: button, mute, mode, headline, errors, notices and readouts.
 */

/**
 * @typedef {import("../phase.js").Phase} Phase
 * @typedef {import("../call.js").TalkMode} TalkMode
 * @typedef {"response-time" | "round-trip" | "buffer" | "dropouts"} Readout
 */

/** Phases in which push-to-talk takes over the button. */
const IN_CALL = ["listening", "thinking", "speaking", "reconnecting"];
const SHORT_RETRY_MS = 1_500; // too short for a countdown
const NOTICE_MS = 12_000;
const EXAMPLE_MS = 5_000; // long enough to read one aloud
const REDUCED_MOTION = matchMedia("(prefers-reduced-motion: reduce)");

export class Panel {
  #stage = find(".stage", HTMLElement);
  #call = find("#call", HTMLButtonElement);
  #end = find("#end", HTMLButtonElement);
  #mute = find("#mute", HTMLButtonElement);
  #headline = find("#headline", HTMLElement);
  #trouble = find("#trouble", HTMLElement);
  #notice = find("#notice", HTMLElement);
  #example = find("#example", HTMLElement);
  #invitation = invitation();
  #countdown = new Countdown(find("#countdown", HTMLElement));
  #noticeTimer = 0;
  #exampleTimer = 0;
  /** @type {Phase} */
  #phase = "idle";
  #held = false;
  /** @type {TalkMode} */
  #mode = "turn";
  /** @type {PushToTalk | null} */
  #pushToTalk = null;
  /** @type {TalkMode | null} the person's choice; null leaves it to the server */
  chosenMode = null;

  constructor() {
    this.showInvitation();
  }

  get muted() {
    return this.#mute.getAttribute("aria-pressed") === "true";
  }

  /** Whether the button is for push-to-talk, not for hanging up. */
  get #isPushToTalk() {
    return this.#mode === "hold" && IN_CALL.includes(this.#phase);
  }

  /**
   * @param {() => void} toggle starts a call or hangs up; runs inside the click
   * @param {(held: boolean) => void} hold push-to-talk was pressed or released
   */
  onCall(toggle, hold) {
    this.#call.onclick = () => this.#isPushToTalk || toggle();
    this.#end.onclick = toggle;
    this.#pushToTalk = new PushToTalk(this.#call, (held) => {
      this.#held = held;
      this.#show();
      hold(held);
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

  /** @param {(mode: TalkMode) => void} act */
  onMode(act) {
    find("#mode", HTMLFieldSetElement).onchange = ({ target }) => {
      this.chosenMode = /** @type {TalkMode} */ (/** @type {HTMLInputElement} */ (target).value);
      this.showMode(this.chosenMode);
      act(this.chosenMode);
    };
  }

  /** @param {TalkMode} mode the session's */
  showMode(mode) {
    this.#mode = mode;
    find(`#mode [value="${mode}"]`, HTMLInputElement).checked = true;
    find("#hint", HTMLElement).textContent = HINTS[mode];
    this.#show();
  }

  /** @param {Phase} phase */
  showPhase(phase) {
    if (phase === this.#phase) return;
    if (this.#phase === "reconnecting") this.#countdown.stop();
    this.#phase = phase;
    this.#show();
  }

  /** @param {number} retryMs until the next attempt to reconnect */
  showRetry(retryMs) {
    if (retryMs < SHORT_RETRY_MS) this.#countdown.stop();
    else this.#countdown.start(retryMs, retryIn, RETRY_NOW);
  }

  /**
   * @param {string} code the server's error code, or one of the page's own
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
   * Show a message for a while; the call goes on.
   * @param {string} code
   * @param {string} detail
   */
  showNotice(code, detail = "") {
    clearTimeout(this.#noticeTimer);
    this.#notice.textContent = notice(code, detail);
    this.#noticeTimer = setTimeout(() => (this.#notice.textContent = ""), NOTICE_MS);
  }

  /** @param {string} [engine] the server's engine, if it names one */
  showInvitation(engine) {
    this.#invitation = invitation(engine);
    let next = 0;
    const rotate = () => {
      const { examples } = this.#invitation;
      setText(this.#example, examples[next++ % examples.length]);
    };
    clearInterval(this.#exampleTimer);
    if (!REDUCED_MOTION.matches) this.#exampleTimer = setInterval(rotate, EXAMPLE_MS);
    rotate();
    this.#show();
  }

  /** This page cannot make calls. */
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
    this.#pushToTalk?.enable(this.#isPushToTalk);
    const held = this.#isPushToTalk ? this.#held : null;
    this.#stage.dataset.phase = this.#phase;
    this.#stage.dataset.held = String(held);
    if (document.activeElement === this.#end && !this.#isPushToTalk) this.#call.focus();
    this.#end.hidden = !this.#isPushToTalk;
    setText(this.#call, buttonText(this.#phase, held));
    setText(this.#headline, headline(this.#phase, held, this.muted, this.#invitation));
    this.#example.hidden = this.#phase !== "idle";
    if (held === null) this.#call.removeAttribute("aria-pressed");
    else this.#call.setAttribute("aria-pressed", String(held));
  }
}

/**
 * Leaves an unchanged text alone: assistive technology would read it out again.
 * @param {HTMLElement} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
