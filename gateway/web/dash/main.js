// @ts-check
import { find } from "../ui/find.js";
import { Chart, format } from "./chart.js";
import { make } from "./dom.js";
import { Feed } from "./feed.js";
import { SessionPanel } from "./session.js";
import { showGateways, showSessions, showWorkers } from "./tables.js";

/** The dashboard: connects the feed with the charts, tables and the session's panel. */

const KEPT = 600; // rows, one per second; as long as the gateway's own history

/** @type {import("./chart.js").ChartOptions[]} */
const CHARTS = [
  {
    title: "Calls",
    unit: "calls",
    description: "Calls on this gateway, calls waiting for a worker, and the slots of all workers.",
    lines: [
      { column: "callers", name: "on this gateway", color: "blue", filled: true },
      { column: "queue", name: "queued", color: "red" },
      { column: "slots", name: "slots", color: "faint", dashed: true },
    ],
    least: 4,
  },
  {
    title: "Step time",
    unit: "ms",
    description: "A step makes 80 ms of audio for every slot, and must stay below the dotted line.",
    lines: [
      { column: "step_ms", name: "mean", color: "blue" },
      { column: "step_p99_ms", name: "p99 of the slowest worker", color: "red", dashed: true },
    ],
    limit: 80,
  },
  {
    title: "Response time",
    unit: "ms",
    description: "From the audio that ended a turn to the first frame of the reply.",
    lines: [
      { column: "answer_p50", name: "median", color: "blue" },
      { column: "answer_p99", name: "p99", color: "red", dashed: true },
    ],
    least: 200,
  },
  {
    title: "Transport",
    unit: "ms",
    description: "How long it takes to store audio in the log, and how late frames are sent.",
    lines: [
      { column: "append_p50", name: "append, median", color: "blue" },
      { column: "append_p99", name: "append, p99", color: "blue", dashed: true },
      { column: "late_p99", name: "lateness, p99", color: "red" },
    ],
    least: 20,
  },
  {
    title: "Problems",
    unit: "per second",
    description: "All of these should be zero.",
    lines: [
      { column: "underruns", name: "underruns", color: "blue" },
      { column: "missing", name: "missing frames", color: "ink" },
      { column: "refusals", name: "refusals", color: "red" },
      { column: "takeovers", name: "takeovers", color: "gold" },
      { column: "redis_errors", name: "Redis errors", color: "faint" },
    ],
    least: 4,
    steps: true,
  },
  {
    title: "Audio sent",
    unit: "frames per second",
    description: "Audio sent to callers. One reply needs 50 frames per second.",
    lines: [{ column: "sent", name: "frames", color: "red", filled: true }],
    least: 60,
  },
];
const TILES = [
  ["callers", "Calls here", ""],
  ["free", "Free slots", ""],
  ["queue", "Queued calls", ""],
  ["answer_p50", "Response time, median", "ms"],
  ["late_p99", "Lateness, p99", "ms"],
  ["step_p99_ms", "Step time, p99", "ms"],
];

const state = find("#state", HTMLElement);
const tiles = find("#tiles", HTMLElement);
const board = find("#board", HTMLElement);
const form = find("#token", HTMLFormElement);
const charts = CHARTS.map((options) => {
  return { options, chart: new Chart(options, find("#charts", HTMLElement)) };
});

/** @type {string[]} */
let columns = [];
/** @type {import("./feed.js").Row[]} */
let rows = [];

const values = TILES.map(([, name]) => {
  const value = make("dd", "–");
  const tile = make("div", make("dt", name));
  tile.append(value);
  tiles.append(tile);
  return value;
});

const feed = new Feed({
  history: (history) => {
    ({ columns, rows } = history);
    form.hidden = true;
    board.hidden = false;
    showRows();
  },
  snapshot: showSnapshot,
  lost: (reason) => (state.textContent = `Not connected: ${reason}. Trying again…`),
  locked: () => {
    state.textContent = "Token required";
    board.hidden = true;
    form.hidden = false;
  },
});
const panel = new SessionPanel(feed);

form.onsubmit = (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  feed.unlock(String(new FormData(form).get("token")));
  form.reset();
};

/** @param {import("./feed.js").Snapshot} snapshot */
function showSnapshot(snapshot) {
  rows.push(snapshot.row);
  rows = rows.slice(-KEPT);
  const text = `Gateway ${snapshot.gateway}, up ${duration(snapshot.up_s)}`;
  if (state.textContent !== text) state.textContent = text;
  showRows();
  showWorkers(snapshot);
  showGateways(snapshot);
  showSessions(snapshot, panel.session, (session) => panel.open(session));
}

function showRows() {
  if (rows.length === 0) return;
  /** @param {string} name */
  const column = (name) => rows.map((row) => row[columns.indexOf(name)]);
  const at = column("at");
  for (const { options, chart } of charts) {
    chart.show([at, ...options.lines.map((line) => column(line.column))]);
  }
  TILES.forEach(([name, , unit], i) => {
    const value = rows[rows.length - 1][columns.indexOf(name)];
    values[i].textContent = `${format(value)} ${value === null ? "" : unit}`.trim();
  });
}

/**
 * In whole minutes, so that screen readers do not announce it every second.
 * @param {number} seconds
 */
function duration(seconds) {
  if (seconds < 60) return "less than a minute";
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
