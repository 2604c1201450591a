// @ts-check
/**
 * Shows both sides' levels as square notes on the four-line staff of chant. The caller's are to the
 * left of the button, the assistant's to the right. A louder sound is a higher note. The newest
 * note is next to the button, and older ones move outwards.
 */

const NOTE_PX = 7;
const SPACING_PX = 10; // from note to note
const STEM_PX = 1.5;
const LEVELS_PER_NOTE = 2; // one level covers 40 ms
const EDGE_PX = 14; // keeps clear of the button's ring
const STAFF_LINES = 4;
const STEPS = 2 * STAFF_LINES; // the lines and the spaces above them
const FLOOR_DB = -42; // of full scale; nothing is drawn below it
const NOTES_KEPT = 120; // per side; enough for the widest page
const METER_MS = 500; // between two values for assistive technology

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

export class LevelDisplay {
  #canvas;
  #button;
  #ink;
  #sides;
  #drawing = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} button in the canvas's center; the notes begin at its edge
   * @param {HTMLElement} input the caller's meter
   * @param {HTMLElement} output the assistant's meter
   */
  constructor(canvas, button, input, output) {
    this.#canvas = canvas;
    this.#button = button;
    this.#ink = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.#sides = { caller: new Side(input), assistant: new Side(output) };
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").onchange = () => this.#draw();
  }

  /** @param {number} level peak of the last 40 ms, full scale is 1 */
  addInput(level) {
    this.#add(this.#sides.caller, level);
  }

  /** @param {number} level peak of the last 40 ms, full scale is 1 */
  addOutput(level) {
    this.#add(this.#sides.assistant, level);
  }

  clear() {
    for (const side of Object.values(this.#sides)) side.clear();
    this.#draw();
  }

  /**
   * @param {Side} side
   * @param {number} level
   */
  #add(side, level) {
    side.add(Math.max(0, 1 - (20 * Math.log10(Math.max(level, 1e-6))) / FLOOR_DB));
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#drawing = false;
    const { width, height } = this.#canvas.getBoundingClientRect();
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
    this.#ink.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    this.#drawStaff(width, height);
    const edge = this.#button.offsetWidth / 2 + EDGE_PX;
    const { caller, assistant } = this.#sides;
    this.#drawSide(caller.notes, "--caller", width / 2 - edge, height, -1);
    this.#drawSide(assistant.notes, "--assistant", width / 2 + edge, height, 1);
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #drawStaff(width, height) {
    this.#ink.fillStyle = this.#color("--staff");
    for (let line = 1; line <= STAFF_LINES; line++) {
      this.#ink.fillRect(0, Math.round((height * line) / (STAFF_LINES + 1)), width, 1);
    }
  }

  /**
   * @param {readonly number[]} notes newest first, 0 to 1
   * @param {string} color
   * @param {number} edge the newest note's edge
   * @param {number} height
   * @param {1 | -1} direction
   */
  #drawSide(notes, color, edge, height, direction) {
    this.#ink.fillStyle = this.#color(color);
    let before = NaN; // the height of the note before; NaN: none to connect to
    notes.slice(0, reducedMotion.matches ? 1 : NOTES_KEPT).forEach((note, i) => {
      const y = note === 0 ? NaN : noteY(note, height);
      const x = edge + direction * (i * SPACING_PX + SPACING_PX / 2);
      this.#ink.fillRect(x - NOTE_PX / 2, y - NOTE_PX / 2, NOTE_PX, NOTE_PX);
      const join = x - (direction * SPACING_PX) / 2 - STEM_PX / 2;
      this.#ink.fillRect(join, Math.min(y, before), STEM_PX, Math.abs(y - before));
      before = y;
    });
  }

  /** @param {string} name */
  #color(name) {
    return getComputedStyle(this.#canvas).getPropertyValue(name);
  }
}

/**
 * The center of a note, on a line or in a space.
 * @param {number} note 0 to 1
 * @param {number} height of the staff with its margins
 */
function noteY(note, height) {
  const step = Math.min(STEPS, Math.ceil(note * STEPS));
  return height - (height / (STAFF_LINES + 1) / 2) * (step + 1);
}

class Side {
  /** @type {number[]} newest first, 0 to 1 */
  notes = [];
  #meter;
  #reportedAt = 0;
  #loudest = 0;
  #levels = 0;

  /** @param {HTMLElement} meter */
  constructor(meter) {
    this.#meter = meter;
  }

  /** @param {number} height 0 to 1 */
  add(height) {
    this.#loudest = Math.max(this.#loudest, height);
    this.#levels += 1;
    if (this.#levels < LEVELS_PER_NOTE) return;
    this.notes.unshift(this.#loudest);
    this.notes.length = Math.min(this.notes.length, NOTES_KEPT);
    if (performance.now() - this.#reportedAt > METER_MS) this.#report(this.#loudest);
    this.#loudest = this.#levels = 0;
  }

  clear() {
    this.notes = [];
    this.#report(0);
  }

  /** @param {number} height */
  #report(height) {
    this.#reportedAt = performance.now();
    this.#meter.setAttribute("aria-valuenow", String(Math.round(100 * height)));
  }
}
