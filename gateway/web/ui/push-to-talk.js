// @ts-check
/**
 * Push-to-talk: hold the button with finger or mouse, or hold the space bar outside other controls.
 * Enter on the button, or a screen reader's click, toggles it for people who cannot hold a key.
 */

// The space bar operates these. On a checked radio button or a slider it does nothing.
const USES_SPACE = "input:not([type=radio], [type=range]), select, textarea, button, summary, a";

export class PushToTalk {
  #button;
  #onChange;
  #enabled = false;
  #held = false;

  /**
   * @param {HTMLElement} button
   * @param {(held: boolean) => void} onChange
   */
  constructor(button, onChange) {
    this.#button = button;
    this.#onChange = onChange;
    button.addEventListener("pointerdown", (event) => this.#press(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(end, () => this.#set(false));
    }
    button.addEventListener("contextmenu", (event) => this.#enabled && event.preventDefault());
    button.addEventListener("click", ({ detail }) => detail === 0 && this.#set(!this.#held));
    document.addEventListener("keydown", (event) => this.#key(event, true));
    document.addEventListener("keyup", (event) => this.#key(event, false));
    // A hidden page and one without focus get no event of a release.
    addEventListener("blur", () => this.#set(false));
    document.addEventListener("visibilitychange", () => document.hidden && this.#set(false));
  }

  /** @param {boolean} enabled whether the button and the space bar have this function now */
  enable(enabled) {
    if (!enabled) this.#set(false);
    this.#enabled = enabled;
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (!this.#enabled || event.button !== 0) return;
    this.#button.setPointerCapture(event.pointerId);
    this.#set(true);
  }

  /**
   * @param {KeyboardEvent} event
   * @param {boolean} down
   */
  #key(event, down) {
    if (!this.#enabled || event.code !== "Space" || this.#isForAnother(event.target)) return;
    event.preventDefault(); // it must neither scroll nor click
    if (!event.repeat) this.#set(down);
  }

  /** @param {EventTarget | null} target */
  #isForAnother(target) {
    if (target === this.#button || !(target instanceof Element)) return false;
    return target.closest(USES_SPACE) !== null;
  }

  /** @param {boolean} held */
  #set(held) {
    if (!this.#enabled || held === this.#held) return;
    this.#held = held;
    this.#onChange(held);
  }
}
