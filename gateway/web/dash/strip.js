// @ts-check
import { color } from "./dom.js";

/** Draws a timeline in three lanes. The newest is at the right, with room for audio sent ahead. */

const MOST_S = 30;
const AHEAD_S = 4;
const SECOND_PX = 24; // at least: a narrow screen shows fewer seconds
const NAMES_PX = 64;
const LANE_PX = 34;
const BAR_PX = 18;
const TOP_PX = 22; // space for the marks
const BOTTOM_PX = 18; // space for the axis
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
  drawAxis(pen, left, timeline.end, x, height);
  drawCaller(pen, timeline, x);
  drawSteps(pen, timeline, x, left);
  drawReplies(pen, timeline, x);
  drawMarks(pen, timeline, x, left);
  drawNames(pen);
}

/** @typedef {(at: number) => number} TimeToX */

/** @param {number} lane */
function top(lane) {
  return TOP_PX + lane * LANE_PX + (LANE_PX - BAR_PX) / 2;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {TimeToX} x
 * @param {number} lane
 * @param {number} from
 * @param {number} to
 * @param {string} name of the color
 */
function drawBar(pen, x, lane, from, to, name) {
  pen.fillStyle = color(name);
  pen.fillRect(x(from), top(lane), Math.max(0, x(to) - x(from)), BAR_PX);
}

/** @param {CanvasRenderingContext2D} pen */
function drawNames(pen) {
  pen.fillStyle = color("faint");
  LANES.forEach((name, i) => pen.fillText(name, 0, TOP_PX + i * LANE_PX + LANE_PX / 2 + 4));
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number} left
 * @param {number} end
 * @param {TimeToX} x
 * @param {number} height
 */
function drawAxis(pen, left, end, x, height) {
  pen.strokeStyle = color("rule");
  pen.fillStyle = color("faint");
  for (let at = Math.ceil(left / 5) * 5; at <= end + AHEAD_S; at += 5) {
    pen.beginPath();
    pen.moveTo(x(at), TOP_PX);
    pen.lineTo(x(at), height - BOTTOM_PX);
    pen.stroke();
    if (at >= 0) pen.fillText(`${at} s`, x(at) + 3, height - 5);
  }
  pen.strokeStyle = color("ink");
  pen.beginPath();
  pen.moveTo(x(end), TOP_PX);
  pen.lineTo(x(end), height - BOTTOM_PX);
  pen.stroke();
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {import("./timeline.js").Timeline} timeline
 * @param {TimeToX} x
 */
function drawCaller(pen, { speech, end, cursorAt }, x) {
  drawBar(pen, x, 0, 0, end, "rule");
  for (const { from, to } of speech) drawBar(pen, x, 0, from, Math.min(to, end), "blue");
  if (cursorAt < end) {
    pen.strokeStyle = color("faint"); // a frame around the audio that no worker has read yet
    pen.strokeRect(x(cursorAt), top(0) - 2, x(end) - x(cursorAt), BAR_PX + 4);
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {import("./timeline.js").Timeline} timeline
 * @param {TimeToX} x
 * @param {number} left
 */
function drawSteps(pen, { steps }, x, left) {
  for (const { at, speaks } of steps) {
    if (at < left) continue;
    pen.fillStyle = color(speaks ? "ink" : "rule");
    const height = speaks ? BAR_PX : BAR_PX / 2;
    pen.fillRect(x(at) - 1, top(1) + (BAR_PX - height) / 2, 1.5, height);
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {import("./timeline.js").Timeline} timeline
 * @param {TimeToX} x
 */
function drawReplies(pen, timeline, x) {
  const { replies, lastPlayed, end } = timeline;
  for (const { first, next } of replies.values()) {
    const to = Math.min(timeline.timeOf(next), end + AHEAD_S);
    const played = Math.min(to, timeline.timeOf(Math.min(next, lastPlayed + 1)));
    drawBar(pen, x, 2, played, to, "pink");
    drawBar(pen, x, 2, timeline.timeOf(first), played, "red");
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {import("./timeline.js").Timeline} timeline
 * @param {TimeToX} x
 * @param {number} left
 */
function drawMarks(pen, { events }, x, left) {
  pen.fillStyle = color("ink");
  for (const { at, mark } of events) {
    if (at >= left && "◆✕⚡■…".includes(mark)) pen.fillText(mark, x(at) - 5, TOP_PX - 6);
  }
}
