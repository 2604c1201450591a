// @ts-check
import { find } from "./find.js";

/** The text field for a turn in writing. It is shown during a call if its engine takes such turns. */

export class TypedTurn {
  #form = find("#typed", HTMLFormElement);
  #field = find("#typed-text", HTMLInputElement);

  /** @param {(text: string) => void} send */
  onSend(send) {
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      const text = this.#field.value.trim();
      this.#field.value = "";
      if (text !== "") send(text);
    };
  }

  /** @param {boolean} shown */
  show(shown) {
    this.#form.hidden = !shown;
  }
}
