// @ts-check
import { colour, make } from "./dom.js";

/**
 * One chart over the last ten minutes, with its newest figures in words and, on demand, a table of
 * what the lines show for those who do not see them.
 */

const HEIGHT = 170;

/**
 * @typedef {object} Line
 * @property {string} column of the history
 * @property {string} name
 * @property {string} ink a custom property of the style sheet
 * @property {boolean} [dashed]
 * @property {boolean} [filled]
 *
 * @typedef {object} Plan
 * @property {string} title
 * @property {string} unit
 * @property {string} says what the chart tells
 * @property {Line[]} lines
 * @property {number} [limit] a level drawn across
 * @property {number} [least] what the axis holds at least
 * @property {boolean} [steps] counts of each second
 * @property {boolean} [clock] whether the times are seconds since the epoch; else of a session
 */

export class Chart {
  /** @type {any} */
  #plot = null;
  #plan;
  #holder = make("div", "", "plot");
  #table = document.createElement("tbody");
  #details = document.createElement("details");
  /** @type {HTMLElement[]} */
  #nows = [];
  /** @type {(number | null)[][]} */
  #data = [];

  /**
   * @param {Plan} plan
   * @param {HTMLElement} place
   */
  constructor(plan, place) {
    this.#plan = plan;
    place.append(this.#figure());
    new ResizeObserver(() => this.#fit()).observe(this.#holder);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
    this.#details.addEventListener("toggle", () => this.#fillTable());
  }

  /** @param {(number | null)[][]} data the times, then each line's values */
  show(data) {
    this.#data = data;
    if (this.#plot === null) this.#build();
    else this.#plot.setData(data);
    this.#nows.forEach((now, i) => (now.textContent = show(data[i + 1].at(-1) ?? null)));
    if (this.#details.open) this.#fillTable();
  }

  #figure() {
    const { title, unit, says, lines } = this.#plan;
    const figure = make("figure");
    const caption = make("figcaption", make("h2", title));
    caption.append(make("span", unit, "unit"));
    const legend = make("ul", "", "legend");
    for (const line of lines) {
      const item = make("li", line.name, line.dashed ? "dashed" : "");
      item.dataset.ink = line.ink;
      this.#nows.push(make("b", "–"));
      item.append(this.#nows[this.#nows.length - 1]);
      legend.append(item);
    }
    this.#holder.setAttribute("role", "img");
    this.#holder.setAttribute("aria-label", `${title}: ${says}. The table below says the same.`);
    figure.append(caption, make("p", says, "says"), legend, this.#holder, this.#tabled());
    return figure;
  }

  #tabled() {
    const head = make("tr");
    for (const name of ["", "now", "median", "highest", "total"]) {
      const cell = make("th", name);
      cell.setAttribute("scope", "col");
      head.append(cell);
    }
    const table = make("table", make("thead", head));
    table.append(this.#table);
    this.#details.append(make("summary", "As a table"), table);
    return this.#details;
  }

  #fillTable() {
    if (!this.#details.open || this.#data.length === 0) return;
    this.#table.replaceChildren(
      ...this.#plan.lines.map((line, i) => {
        const values = this.#data[i + 1].filter((value) => value !== null);
        const sorted = [...values].sort((a, b) => a - b);
        const total = this.#plan.steps ? values.reduce((sum, value) => sum + value, 0) : null;
        const row = make("tr");
        const name = make("th", line.name);
        name.setAttribute("scope", "row");
        row.append(name);
        const middle = sorted[Math.floor(sorted.length / 2)];
        for (const value of [this.#data[i + 1].at(-1), middle, sorted.at(-1), total]) {
          row.append(make("td", show(value ?? null)));
        }
        return row;
      }),
    );
  }

  #fit() {
    const width = this.#holder.clientWidth;
    if (this.#plot !== null && width > 0) this.#plot.setSize({ width, height: HEIGHT });
  }

  /** Colours are painted: another scheme needs another plot. */
  #build() {
    if (this.#data.length === 0) return;
    this.#plot?.destroy();
    const { limit, least = 1 } = this.#plan;
    const grid = { stroke: colour("rule"), width: 1 };
    const axis = { stroke: colour("faint"), grid, ticks: { show: false }, font: "12px system-ui" };
    this.#plot = new window.uPlot(
      {
        width: this.#holder.clientWidth || 300,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: {
          x: { time: this.#plan.clock ?? true },
          y: { range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ high) =>
            [0, Math.max(least, 1.1 * (high ?? 0), limit ?? 0)] },
        },
        axes: [
          { ...axis, space: 80, size: 28, values: this.#plan.clock === false ? seconds : clocks }, { ...axis, size: 44, space: 36 },
        ],
        series: [{}, ...this.#plan.lines.map((line) => this.#series(line))],
        hooks: limit === undefined ? {} : { draw: [(/** @type {any} */ u) => drawLimit(u, limit)] },
      },
      this.#data,
      this.#holder,
    );
  }

  /** @param {Line} line */
  #series({ name, ink, dashed, filled }) {
    const stroke = colour(ink);
    return {
      label: name,
      stroke,
      width: 1.6,
      dash: dashed ? [5, 4] : undefined,
      fill: filled || this.#plan.steps ? `color-mix(in srgb, ${stroke} 16%, transparent)` : undefined,
      paths: this.#plan.steps ? window.uPlot.paths.stepped({ align: -1 }) : undefined,
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
  ctx.strokeStyle = colour("it");
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
function clocks(_, splits) {
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
export function show(value) {
  if (value === null) return "–";
  return Math.abs(value) >= 100 || Number.isInteger(value) ? `${Math.round(value)}` : value.toFixed(1);
}
