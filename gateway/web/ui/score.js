// @ts-check
/**
 * The two sides of the call as they sound, on a four-line staff: the caller to the left of the
 * button, the assistant to its right. What sounds now is at the button and moves outwards.
 */

const BAR_PX = 3;
const PITCH_PX = 5; // from bar to bar; one bar is one level, 40 ms
const EDGE_PX = 8; // clear of the button's ring
const STAFF_LINES = 4;
const FLOOR_DB = -55; // of full scale: drawn as nothing
const KEPT = 400; // levels a side, wider than any page
const METER_MS = 500; // between two values said to assistive technology

export class Score {
  #canvas;
  #button;
  #ink;
  #sides;
  #drawing = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} button in the canvas's middle; the bars begin at its edge
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
    this.#drawSide(this.#sides.you.heights, "--you", width / 2 - edge, height, -1);
    this.#drawSide(this.#sides.it.heights, "--it", width / 2 + edge, height, 1);
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #drawStaff(width, height) {
    this.#ink.fillStyle = this.#color("--rule");
    for (let line = 1; line <= STAFF_LINES; line++) {
      this.#ink.fillRect(0, Math.round((height * line) / (STAFF_LINES + 1)), width, 1);
    }
  }

  /**
   * @param {readonly number[]} heights newest first, 0 to 1
   * @param {string} color
   * @param {number} edge where the newest bar stands
   * @param {number} height
   * @param {1 | -1} direction
   */
  #drawSide(heights, color, edge, height, direction) {
    this.#ink.fillStyle = this.#color(color);
    heights.forEach((value, i) => {
      if (value === 0) return;
      const tall = Math.max(2, value * height * 0.76);
      const x = edge + direction * (i * PITCH_PX + PITCH_PX / 2) - BAR_PX / 2;
      this.#ink.fillRect(x, (height - tall) / 2, BAR_PX, tall);
    });
  }

  /** @param {string} name */
  #color(name) {
    return getComputedStyle(this.#canvas).getPropertyValue(name);
  }
}

class Side {
  /** @type {number[]} */
  heights = [];
  #meter;
  #told = 0;

  /** @param {HTMLElement} meter */
  constructor(meter) {
    this.#meter = meter;
  }

  /** @param {number} height 0 to 1 */
  add(height) {
    this.heights.unshift(height);
    this.heights.length = Math.min(this.heights.length, KEPT);
    if (performance.now() - this.#told > METER_MS) this.#tell(height);
  }

  clear() {
    this.heights = [];
    this.#tell(0);
  }

  /** @param {number} height */
  #tell(height) {
    this.#told = performance.now();
    this.#meter.setAttribute("aria-valuenow", String(Math.round(100 * height)));
  }
}
