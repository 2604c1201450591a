// @ts-check
import { color, make } from "./dom.js";

/**
 * One chart of the last ten minutes, with the current values as text. A table shows the same data
 * for people who cannot see the lines.
 */

const HEIGHT = 170;

/**
 * @typedef {object} Line
 * @property {string} column of the history
 * @property {string} name
 * @property {string} color a custom property of the style sheet
 * @property {boolean} [dashed]
 * @property {boolean} [filled]
 *
 * @typedef {object} ChartOptions
 * @property {string} title
 * @property {string} unit
 * @property {string} description
 * @property {Line[]} lines
 * @property {number} [limit] drawn as a horizontal line
 * @property {number} [least] the smallest upper end of the axis
 * @property {boolean} [steps] whether the values are counts per second
 * @property {boolean} [clock] false: times are seconds of a session, not since the epoch
 */

export class Chart {
  /** @type {any} */
  #plot = null;
  #options;
  #holder = make("div", "", "plot");
  #table = document.createElement("tbody");
  #details = document.createElement("details");
  /** @type {HTMLElement[]} */
  #currentValues = [];
  /** @type {(number | null)[][]} */
  #data = [];

  /**
   * @param {ChartOptions} options
   * @param {HTMLElement} parent
   */
  constructor(options, parent) {
    this.#options = options;
    parent.append(this.#createFigure());
    new ResizeObserver(() => this.#fit()).observe(this.#holder);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
    this.#details.addEventListener("toggle", () => this.#fillTable());
  }

  /** @param {(number | null)[][]} data the times, then each line's values */
  show(data) {
    this.#data = data;
    if (this.#plot === null) this.#build();
    else this.#plot.setData(data);
    this.#currentValues.forEach((value, i) => {
      value.textContent = format(data[i + 1].at(-1) ?? null);
    });
    if (this.#details.open) this.#fillTable();
  }

  #createFigure() {
    const { title, unit, description, lines } = this.#options;
    const figure = make("figure");
    const caption = make("figcaption", make("h2", title));
    caption.append(make("span", unit, "unit"));
    const legend = make("ul", "", "legend");
    for (const line of lines) {
      const item = make("li", line.name, line.dashed ? "dashed" : "");
      item.dataset.color = line.color;
      const value = make("b", "–");
      this.#currentValues.push(value);
      item.append(value);
      legend.append(item);
    }
    this.#holder.setAttribute("role", "img");
    const label = `${title}. ${description} The table below shows the same data.`;
    this.#holder.setAttribute("aria-label", label);
    const text = make("p", description, "description");
    figure.append(caption, text, legend, this.#holder, this.#createTable());
    return figure;
  }

  #createTable() {
    const head = make("tr");
    for (const name of ["", "Now", "Median", "Highest", "Total"]) {
      const cell = make("th", name);
      cell.setAttribute("scope", "col");
      head.append(cell);
    }
    const table = make("table", make("thead", head));
    table.append(this.#table);
    this.#details.append(make("summary", "Show as a table"), table);
    return this.#details;
  }

  #fillTable() {
    if (!this.#details.open || this.#data.length === 0) return;
    this.#table.replaceChildren(
      ...this.#options.lines.map((line, i) => {
        const values = this.#data[i + 1].filter((value) => value !== null);
        const sorted = [...values].sort((a, b) => a - b);
        const total = this.#options.steps ? values.reduce((sum, value) => sum + value, 0) : null;
        const row = make("tr");
        const name = make("th", line.name);
        name.setAttribute("scope", "row");
        row.append(name);
        const middle = sorted[Math.floor(sorted.length / 2)];
        for (const value of [this.#data[i + 1].at(-1), middle, sorted.at(-1), total]) {
          row.append(make("td", format(value ?? null)));
        }
        return row;
      }),
    );
  }

  #fit() {
    const width = this.#holder.clientWidth;
    if (this.#plot !== null && width > 0) this.#plot.setSize({ width, height: HEIGHT });
  }

  /** Runs again when the color scheme changes, because the plot cannot change its colors. */
  #build() {
    if (this.#data.length === 0) return;
    this.#plot?.destroy();
    const { limit, least = 1, clock = true } = this.#options;
    const grid = { stroke: color("rule"), width: 1 };
    const axis = { stroke: color("faint"), grid, ticks: { show: false }, font: "12px system-ui" };
    /** @type {(plot: any, low: number, high: number | null) => [number, number]} */
    const range = (_plot, _low, high) => [0, Math.max(least, 1.1 * (high ?? 0), limit ?? 0)];
    this.#plot = new window.uPlot(
      {
        width: this.#holder.clientWidth || 300,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: {
          x: { time: clock },
          y: { range },
        },
        axes: [
          { ...axis, space: 80, size: 28, values: clock ? clockTimes : seconds },
          { ...axis, size: 44, space: 36 },
        ],
        series: [{}, ...this.#options.lines.map((line) => this.#series(line))],
        hooks: limit === undefined ? {} : { draw: [(/** @type {any} */ u) => drawLimit(u, limit)] },
      },
      this.#data,
      this.#holder,
    );
  }

  /** @param {Line} line */
  #series({ name, color: line, dashed, filled }) {
    const stroke = color(line);
    const shaded = filled || this.#options.steps;
    return {
      label: name,
      stroke,
      width: 1.6,
      dash: dashed ? [5, 4] : undefined,
      fill: shaded ? `color-mix(in srgb, ${stroke} 16%, transparent)` : undefined,
      paths: this.#options.steps ? window.uPlot.paths.stepped({ align: -1 }) : undefined,
      points: { show: false },
      spanGaps: false,
    };
  }
}

/**
 * @param {any} plot
 * @param {number} limit
 */
function drawLimit(plot, limit) {
  const { ctx, bbox } = plot;
  const y = plot.valToPos(limit, "y", true);
  ctx.save();
  ctx.strokeStyle = color("red");
  ctx.setLineDash([2, 4]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

/**
 * @param {unknown} _
 * @param {number[]} splits seconds since the epoch
 */
function clockTimes(_, splits) {
  return splits.map((at) => new Date(1_000 * at).toTimeString().slice(0, 8));
}

/**
 * @param {unknown} _
 * @param {number[]} splits seconds of a session
 */
function seconds(_, splits) {
  return splits.map((at) => `${at} s`);
}

/** @param {number | null} value */
export function format(value) {
  if (value === null) return "–";
  const whole = Math.abs(value) >= 100 || Number.isInteger(value);
  return whole ? `${Math.round(value)}` : value.toFixed(1);
}
