// @ts-check
import { Chart, show } from "./chart.js";
import { find, make } from "./dom.js";
import { Feed } from "./feed.js";
import { SessionPanel } from "./session.js";
import { showGateways, showSessions, showWorkers } from "./tables.js";

/** The dashboard: joins the feed with what shows it. */

const KEPT = 600; // seconds, as the gateway's own history

/** @type {import("./chart.js").Plan[]} */
const PLANS = [
  {
    title: "Calls",
    unit: "calls",
    says: "who talks here, who waits for a worker, and how many slots all workers have",
    lines: [
      { column: "callers", name: "on this gateway", ink: "you", filled: true },
      { column: "queue", name: "queued", ink: "it" },
      { column: "slots", name: "slots", ink: "faint", dashed: true },
    ],
    least: 4,
  },
  {
    title: "Model step",
    unit: "ms",
    says: "a step makes 80 ms of sound for every slot: the dotted line must not be reached",
    lines: [
      { column: "step_ms", name: "mean", ink: "you" },
      { column: "step_p99_ms", name: "p99, slowest worker", ink: "it", dashed: true },
    ],
    limit: 80,
  },
  {
    title: "Answer",
    unit: "ms",
    says: "from the audio that ended a turn to the first frame of its reply",
    lines: [
      { column: "answer_p50", name: "median", ink: "you" },
      { column: "answer_p99", name: "p99", ink: "it", dashed: true },
    ],
    least: 200,
  },
  {
    title: "On the way",
    unit: "ms",
    says: "how long the log takes to hold what came, and how late frames leave",
    lines: [
      { column: "append_p50", name: "append median", ink: "you" },
      { column: "append_p99", name: "append p99", ink: "you", dashed: true },
      { column: "late_p99", name: "late p99", ink: "it" },
    ],
    least: 20,
  },
  {
    title: "Trouble",
    unit: "a second",
    says: "nothing should be seen here",
    lines: [
      { column: "underruns", name: "underruns", ink: "you" },
      { column: "missing", name: "frames missing", ink: "ink" },
      { column: "refusals", name: "refusals", ink: "it" },
      { column: "takeovers", name: "takeovers", ink: "gold" },
      { column: "redis_errors", name: "Redis errors", ink: "faint" },
    ],
    least: 4,
    steps: true,
  },
  {
    title: "Speech",
    unit: "frames a second",
    says: "what left for the callers; one reply is 50",
    lines: [{ column: "sent", name: "frames", ink: "it", filled: true }],
    least: 60,
  },
];
const TILES = [
  ["callers", "calls here", ""],
  ["free", "free slots", ""],
  ["queue", "in the queue", ""],
  ["answer_p50", "answer, median", "ms"],
  ["late_p99", "frames late, p99", "ms"],
  ["step_p99_ms", "step, p99", "ms"],
];

const state = find("#state", HTMLElement);
const tiles = find("#tiles", HTMLElement);
const board = find("#board", HTMLElement);
const form = find("#token", HTMLFormElement);
const charts = PLANS.map((plan) => ({ plan, chart: new Chart(plan, find("#charts", HTMLElement)) }));

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
  past: (past) => {
    ({ columns, rows } = past);
    form.hidden = true;
    board.hidden = false;
    showRows();
  },
  picture: showPicture,
  lost: (why) => (state.textContent = `Not connected: ${why}. Trying again`),
  locked: () => {
    state.textContent = "Locked";
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

/** @param {import("./feed.js").Picture} picture */
function showPicture(picture) {
  rows.push(picture.row);
  rows = rows.slice(-KEPT);
  const said = `Gateway ${picture.gateway}, up ${duration(picture.up_s)}`;
  if (state.textContent !== said) state.textContent = said;
  showRows();
  showWorkers(picture);
  showGateways(picture);
  showSessions(picture, panel.session, (session) => panel.open(session));
}

function showRows() {
  if (rows.length === 0) return;
  /** @param {string} name */
  const column = (name) => rows.map((row) => row[columns.indexOf(name)]);
  const at = column("at");
  for (const { plan, chart } of charts) {
    chart.show([at, ...plan.lines.map((line) => column(line.column))]);
  }
  TILES.forEach(([name, , unit], i) => {
    const value = rows[rows.length - 1][columns.indexOf(name)];
    values[i].textContent = value === null || unit === "" ? show(value) : `${show(value)} ${unit}`;
  });
}

/** @param {number} seconds in whole minutes beyond the first, so that it is not said every second */
function duration(seconds) {
  if (seconds < 60) return "under a minute";
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
