// @ts-check
import { BUTTONS, HEADLINES, trouble } from "../words.js";

/**
 * The controls and what they show: the call's phase, troubles in words, mute, mode and readouts.
 */

/**
 * @typedef {import("../phase.js").Phase} Phase
 * @typedef {import("../transport/wire.js").Mode} Mode
 * @typedef {"answer" | "round-trip" | "buffer" | "breaks"} Readout
 */

export class Panel {
  #stage = find(".stage", HTMLElement);
  #call = find("#call", HTMLButtonElement);
  #mute = find("#mute", HTMLButtonElement);
  #headline = find("#headline", HTMLElement);
  #trouble = find("#trouble", HTMLElement);
  /** @type {Mode | null} what the person chose; null leaves it to the server */
  chosenMode = null;

  get muted() {
    return this.#mute.getAttribute("aria-pressed") === "true";
  }

  /** @param {() => void} act runs inside the click */
  onCall(act) {
    this.#call.onclick = act;
  }

  /** @param {(muted: boolean) => void} act */
  onMute(act) {
    this.#mute.onclick = () => {
      this.#mute.setAttribute("aria-pressed", String(!this.muted));
      this.#mute.textContent = this.muted ? "Muted" : "Mute";
      act(this.muted);
    };
  }

  /** @param {(mode: Mode) => void} act */
  onMode(act) {
    find("#mode", HTMLFieldSetElement).onchange = ({ target }) => {
      this.chosenMode = /** @type {Mode} */ (/** @type {HTMLInputElement} */ (target).value);
      act(this.chosenMode);
    };
  }

  /** @param {Mode} mode that the session has */
  showMode(mode) {
    find(`#mode [value="${mode}"]`, HTMLInputElement).checked = true;
  }

  /** @param {Phase} phase */
  showPhase(phase) {
    if (this.#stage.dataset.phase === phase) return;
    this.#stage.dataset.phase = phase;
    this.#call.textContent = BUTTONS[phase];
    this.#headline.textContent = HEADLINES[phase];
  }

  /**
   * @param {string} code of the server's error, or the page's own
   * @param {number | null} retryAfterMs
   */
  showTrouble(code, retryAfterMs) {
    const { title, advice } = trouble(code, retryAfterMs);
    find("#trouble strong", HTMLElement).textContent = title;
    find("#trouble span", HTMLElement).textContent = advice;
    this.#trouble.hidden = false;
  }

  clearTrouble() {
    this.#trouble.hidden = true;
  }

  /** No call can be made from this page. */
  disable() {
    this.#call.disabled = true;
    this.#call.textContent = BUTTONS.idle;
  }

  /**
   * @param {Readout} name
   * @param {string} value
   */
  showReadout(name, value) {
    const element = find(`#${name}`, HTMLElement);
    if (element.textContent !== value) element.textContent = value;
  }
}

/**
 * The page's one element of this kind.
 * @template {HTMLElement} T
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 */
export function find(selector, kind) {
  const element = document.querySelector(selector);
  if (element instanceof kind) return element;
  throw new TypeError(`Expected ${kind.name} at ${selector}, got ${element}`);
}
