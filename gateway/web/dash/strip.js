// @ts-check
import { colour } from "./dom.js";

/** Draws a timeline: three lanes, the newest at the right, a little room for what was sent ahead. */

const MOST_S = 30;
const AHEAD_S = 4;
const SECOND_PX = 24; // at least: a phone shows less, not smaller
const NAMES_PX = 64;
const LANE_PX = 34;
const BAR_PX = 18;
const TOP_PX = 22; // for the marks
const BOTTOM_PX = 18; // for the axis
const LANES = ["Caller", "Model", "Reply"];

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import("./timeline.js").Timeline} timeline
 */
export function draw(canvas, timeline) {
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const width = canvas.clientWidth;
  const height = TOP_PX + LANES.length * LANE_PX + BOTTOM_PX;
  const ratio = devicePixelRatio;
  if (canvas.width !== width * ratio || canvas.height !== height * ratio) {
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.height = `${height}px`;
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "12px system-ui, sans-serif";
  const shown = Math.min(MOST_S, (width - NAMES_PX) / SECOND_PX - AHEAD_S);
  const left = timeline.end - shown;
  const scale = (width - NAMES_PX) / (shown + AHEAD_S);
  const x = (/** @type {number} */ at) => NAMES_PX + (Math.max(left, at) - left) * scale;
  axis(pen, left, timeline.end, x, height);
  caller(pen, timeline, x);
  model(pen, timeline, x, left);
  reply(pen, timeline, x);
  marks(pen, timeline, x, left);
  names(pen);
}

/** @typedef {(at: number) => number} Place */

/** @param {number} lane */
function top(lane) {
  return TOP_PX + lane * LANE_PX + (LANE_PX - BAR_PX) / 2;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Place} x
 * @param {number} lane
 * @param {number} from
 * @param {number} to
 * @param {string} ink
 */
function bar(pen, x, lane, from, to, ink) {
  pen.fillStyle = colour(ink);
  pen.fillRect(x(from), top(lane), Math.max(0, x(to) - x(from)), BAR_PX);
}

/** @param {CanvasRenderingContext2D} pen */
function names(pen) {
  pen.fillStyle = colour("faint");
  LANES.forEach((name, i) => pen.fillText(name, 0, TOP_PX + i * LANE_PX + LANE_PX / 2 + 4));
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number} left
 * @param {number} end
 * @param {Place} x
 * @param {number} height
 */
function axis(pen, left, end, x, height) {
  pen.strokeStyle = colour("rule");
  pen.fillStyle = colour("faint");
  for (let at = Math.ceil(left / 5) * 5; at <= end + AHEAD_S; at += 5) {
    pen.beginPath();
    pen.moveTo(x(at), TOP_PX);
    pen.lineTo(x(at), height - BOTTOM_PX);
    pen.stroke();
    if (at >= 0) pen.fillText(`${at} s`, x(at) + 3, height - 5);
  }
  pen.strokeStyle = colour("ink");
  pen.beginPath();
  pen.moveTo(x(end), TOP_PX);
  pen.lineTo(x(end), height - BOTTOM_PX);
  pen.stroke();
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {import("./timeline.js").Timeline} timeline
 * @param {Place} x
 */
function caller(pen, { speech, end, cursorAt }, x) {
  bar(pen, x, 0, 0, end, "rule");
  for (const { from, to } of speech) bar(pen, x, 0, from, Math.min(to, end), "you");
  if (cursorAt < end) {
    pen.strokeStyle = colour("faint"); // what no worker has read yet
    pen.strokeRect(x(cursorAt), top(0) - 2, x(end) - x(cursorAt), BAR_PX + 4);
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {import("./timeline.js").Timeline} timeline
 * @param {Place} x
 * @param {number} left
 */
function model(pen, { steps }, x, left) {
  for (const { at, speaks } of steps) {
    if (at < left) continue;
    pen.fillStyle = colour(speaks ? "ink" : "rule");
    const tall = speaks ? BAR_PX : BAR_PX / 2;
    pen.fillRect(x(at) - 1, top(1) + (BAR_PX - tall) / 2, 1.5, tall);
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {import("./timeline.js").Timeline} timeline
 * @param {Place} x
 */
function reply(pen, timeline, x) {
  const { replies, heardTo, end } = timeline;
  for (const { first, next } of replies.values()) {
    const to = Math.min(timeline.timeOf(next), end + AHEAD_S);
    const heard = Math.min(to, timeline.timeOf(Math.min(next, heardTo + 1)));
    bar(pen, x, 2, heard, to, "soft");
    bar(pen, x, 2, timeline.timeOf(first), heard, "it");
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {import("./timeline.js").Timeline} timeline
 * @param {Place} x
 * @param {number} left
 */
function marks(pen, { happenings }, x, left) {
  pen.fillStyle = colour("ink");
  for (const { at, mark } of happenings) {
    if (at >= left && "◆✕⚡■…".includes(mark)) pen.fillText(mark, x(at) - 5, TOP_PX - 6);
  }
}
