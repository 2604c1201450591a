// @ts-check
import { find } from "../ui/find.js";
import { format } from "./chart.js";
import { make } from "./dom.js";

/** The tables of workers, gateways and sessions. They reuse rows, so that focus stays in place. */

/**
 * @typedef {import("./feed.js").Snapshot} Snapshot
 * @typedef {[key: string, cells: (string | Node)[]]} TableRow
 */

const SHORT = 8; // characters of a session's id

/**
 * @param {string} selector
 * @param {TableRow[]} rows
 * @param {string} placeholder the text without any rows
 */
function fillTable(selector, rows, placeholder) {
  const body = find(`${selector} tbody`, HTMLTableSectionElement);
  const old = new Map([...body.rows].map((row) => [row.dataset.key ?? "", row]));
  const fresh = rows.map(([key, cells]) => {
    const row = old.get(key) ?? document.createElement("tr");
    row.dataset.key = key;
    cells.forEach((cell, i) => {
      const element = row.cells[i] ?? row.appendChild(make(i === 0 ? "th" : "td"));
      if (i === 0) element.setAttribute("scope", "row");
      if (cell instanceof Node) element.firstChild === null && element.append(cell);
      else if (element.textContent !== cell) element.textContent = cell;
    });
    return row;
  });
  if (fresh.length === 0) {
    const row = document.createElement("tr");
    const cell = row.appendChild(make("td", placeholder, "empty"));
    cell.setAttribute("colspan", "9");
    fresh.push(row);
  }
  const same = fresh.length === body.rows.length && fresh.every((row, i) => row === body.rows[i]);
  if (!same) body.replaceChildren(...fresh);
}

/** @param {Snapshot} snapshot */
export function showWorkers({ workers }) {
  const rows = Object.entries(workers).map(([name, w]) => {
    const slots = `${w.slots - w.free} of ${w.slots}`;
    return /** @type {TableRow} */ ([
      name,
      [name, w.engine, slots, ms(w.step_ms), ms(w.step_p95_ms), format(w.takeovers)],
    ]);
  });
  fillTable("#workers", rows.sort(), "No workers are running, so calls are refused.");
}

/** @param {Snapshot} snapshot */
export function showGateways({ gateways, gateway }) {
  const rows = Object.entries(gateways).map(([name, g]) => {
    const own = name === gateway ? `${name} (this)` : name;
    return /** @type {TableRow} */ ([
      name,
      [own, `${g.callers}`, ms(g.answer_p50), ms(g.late_p99), `${g.underruns}`, `${g.refusals}`],
    ]);
  });
  fillTable("#gateways", rows.sort(), "No gateways yet.");
}

/**
 * @param {Snapshot} snapshot
 * @param {string | null} chosen
 * @param {(session: string) => void} choose
 */
export function showSessions({ sessions = [], sessions_total = 0 }, chosen, choose) {
  const rows = sessions.map((s) => {
    const button = make("button", s.session.slice(0, SHORT));
    button.title = s.session;
    button.setAttribute("aria-label", `Timeline of session ${s.session.slice(0, SHORT)}`);
    button.onclick = () => choose(s.session);
    const cells = [
      button,
      s.mode,
      s.worker ?? "waiting",
      s.gateway ?? "–",
      `${s.seconds.toFixed(0)} s`,
      `${s.unread_ms} ms`,
      `${s.ahead_ms} ms`,
      `${s.reply}`,
      `${Math.max(0, s.owners - 1)}${strikes(s.strikes)}`,
    ];
    return /** @type {TableRow} */ ([s.session, cells]);
  });
  fillTable("#sessions", rows, "No calls right now.");
  for (const row of document.querySelectorAll("#sessions tbody tr")) {
    row.toggleAttribute("data-chosen", row instanceof HTMLElement && row.dataset.key === chosen);
  }
  const more = find("#more", HTMLElement);
  more.hidden = sessions_total <= sessions.length;
  more.textContent = `Showing ${sessions.length} of ${sessions_total} sessions.`;
}

/** @param {number} count */
function strikes(count) {
  if (count === 0) return "";
  return count === 1 ? ", 1 strike" : `, ${count} strikes`;
}

/** @param {number | null} value */
function ms(value) {
  return value === null ? "–" : `${format(value)} ms`;
}
