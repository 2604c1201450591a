// @ts-check
/**
 * Push-to-talk: the button held by finger or mouse, or the space bar held anywhere but on another control.
 * Who cannot hold a key switches it on and off: Enter on the button, or a screen reader's click.
 */

// Where the space bar means something else; on a radio button that is chosen it means nothing.
const OWN_KEYS = "input:not([type=radio], [type=range]), select, textarea, button, summary, a";

export class Hold {
  #button;
  #tell;
  #enabled = false;
  #held = false;

  /**
   * @param {HTMLElement} button
   * @param {(held: boolean) => void} tell
   */
  constructor(button, tell) {
    this.#button = button;
    this.#tell = tell;
    button.addEventListener("pointerdown", (event) => this.#press(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(end, () => this.#set(false));
    }
    button.addEventListener("contextmenu", (event) => this.#enabled && event.preventDefault());
    button.addEventListener("click", ({ detail }) => detail === 0 && this.#set(!this.#held));
    document.addEventListener("keydown", (event) => this.#key(event, true));
    document.addEventListener("keyup", (event) => this.#key(event, false));
    // A release that happens elsewhere is never heard of.
    addEventListener("blur", () => this.#set(false));
    document.addEventListener("visibilitychange", () => document.hidden && this.#set(false));
  }

  /** @param {boolean} enabled whether the button and the space bar mean this */
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
    if (!this.#enabled || event.code !== "Space" || this.#belongsElsewhere(event.target)) return;
    event.preventDefault(); // neither a scroll nor a click
    if (!event.repeat) this.#set(down);
  }

  /** @param {EventTarget | null} target */
  #belongsElsewhere(target) {
    if (target === this.#button || !(target instanceof Element)) return false;
    return target.closest(OWN_KEYS) !== null;
  }

  /** @param {boolean} held */
  #set(held) {
    if (!this.#enabled || held === this.#held) return;
    this.#held = held;
    this.#tell(held);
  }
}
