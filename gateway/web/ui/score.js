// @ts-check
/**
 * The two sides of the call as they sound, in the square notes of chant on their four-line staff:
 * the caller to the left of the button, the assistant to its right. The louder, the higher; what
 * sounds now is at the button and moves outwards.
 */

const NOTE_PX = 7;
const PITCH_PX = 10; // from note to note
const STEM_PX = 1.5;
const LEVELS_A_NOTE = 2; // one level is 40 ms
const EDGE_PX = 14; // clear of the button's ring
const STAFF_LINES = 4;
const PLACES = 2 * STAFF_LINES; // on the lines, between them, and above the highest
const FLOOR_DB = -42; // of full scale: drawn as nothing
const KEPT = 120; // notes a side, wider than any page
const METER_MS = 500; // between two values said to assistive technology

const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Score {
  #canvas;
  #button;
  #ink;
  #sides;
  #drawing = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} button in the canvas's middle; the notes begin at its edge
   * @param {HTMLElement} input the caller's meter
   * @param {HTMLElement} output the assistant's
   */
  constructor(canvas, button, input, output) {
    this.#canvas = canvas;
    this.#button = button;
    this.#ink = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.#sides = { you: new Side(input), it: new Side(output) };
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").onchange = () => this.#draw();
  }

  /** @param {number} level peak of the last 40 ms, full scale is 1 */
  addInput(level) {
    this.#add(this.#sides.you, level);
  }

  /** @param {number} level peak of the last 40 ms, full scale is 1 */
  addOutput(level) {
    this.#add(this.#sides.it, level);
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
    this.#drawSide(this.#sides.you.notes, "--you", width / 2 - edge, height, -1);
    this.#drawSide(this.#sides.it.notes, "--it", width / 2 + edge, height, 1);
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
   * @param {number} edge where the newest note stands
   * @param {number} height
   * @param {1 | -1} direction
   */
  #drawSide(notes, color, edge, height, direction) {
    this.#ink.fillStyle = this.#color(color);
    let before = NaN; // the height of the note drawn before: nothing to join
    notes.slice(0, still.matches ? 1 : KEPT).forEach((note, i) => {
      const y = note === 0 ? NaN : noteY(note, height);
      const x = edge + direction * (i * PITCH_PX + PITCH_PX / 2);
      this.#ink.fillRect(x - NOTE_PX / 2, y - NOTE_PX / 2, NOTE_PX, NOTE_PX);
      const join = x - (direction * PITCH_PX) / 2 - STEM_PX / 2;
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
 * The middle of a note: on a line or between two.
 * @param {number} note 0 to 1
 * @param {number} height of the whole staff with its margins
 */
function noteY(note, height) {
  const place = Math.min(PLACES, Math.ceil(note * PLACES));
  return height - (height / (STAFF_LINES + 1) / 2) * (place + 1);
}

class Side {
  /** @type {number[]} newest first, 0 to 1 */
  notes = [];
  #meter;
  #told = 0;
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
    if (this.#levels < LEVELS_A_NOTE) return;
    this.notes.unshift(this.#loudest);
    this.notes.length = Math.min(this.notes.length, KEPT);
    if (performance.now() - this.#told > METER_MS) this.#tell(this.#loudest);
    this.#loudest = this.#levels = 0;
  }

  clear() {
    this.notes = [];
    this.#tell(0);
  }

  /** @param {number} height */
  #tell(height) {
    this.#told = performance.now();
    this.#meter.setAttribute("aria-valuenow", String(Math.round(100 * height)));
  }
}
