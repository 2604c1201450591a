// @ts-check
import { show } from "./chart.js";
import { find, make } from "./dom.js";

/** The tables of workers, gateways and sessions. Rows are kept, so that a focus is not lost. */

/** @typedef {import("./feed.js").Picture} Picture */

const SHORT = 8; // characters of a session's id

/**
 * Show the rows of a table.
 * @param {string} selector
 * @param {[string, (string | Node)[]][]} rows each by a key, with its cells
 * @param {string} none what to say without any
 */
function fill(selector, rows, none) {
  const body = find(`${selector} tbody`, HTMLTableSectionElement);
  const old = new Map([...body.rows].map((row) => [row.dataset.key ?? "", row]));
  const fresh = rows.map(([key, cells]) => {
    const row = old.get(key) ?? document.createElement("tr");
    row.dataset.key = key;
    cells.forEach((cell, i) => {
      const place = row.cells[i] ?? row.appendChild(make(i === 0 ? "th" : "td"));
      if (i === 0) place.setAttribute("scope", "row");
      if (cell instanceof Node) place.firstChild === null && place.append(cell);
      else if (place.textContent !== cell) place.textContent = cell;
    });
    return row;
  });
  if (fresh.length === 0) {
    const row = document.createElement("tr");
    const cell = row.appendChild(make("td", none, "none"));
    cell.setAttribute("colspan", "9");
    fresh.push(row);
  }
  const same = fresh.length === body.rows.length && fresh.every((row, i) => row === body.rows[i]);
  if (!same) body.replaceChildren(...fresh);
}

/** @param {Picture} picture */
export function showWorkers({ workers }) {
  const rows = Object.entries(workers).map(([name, w]) => {
    const taken = w.slots - w.free;
    return /** @type {[string, (string | Node)[]]} */ ([
      name,
      [name, w.engine, `${taken} of ${w.slots}`, ms(w.step_ms), ms(w.step_p95_ms), show(w.takeovers)],
    ]);
  });
  fill("#workers", rows.sort(), "No worker is running: calls are refused.");
}

/** @param {Picture} picture */
export function showGateways({ gateways, gateway }) {
  const rows = Object.entries(gateways).map(([name, g]) => {
    const own = name === gateway ? `${name} (this one)` : name;
    return /** @type {[string, (string | Node)[]]} */ ([
      name,
      [own, `${g.callers}`, ms(g.answer_p50), ms(g.late_p99), `${g.underruns}`, `${g.refusals}`],
    ]);
  });
  fill("#gateways", rows.sort(), "Redis shows no gateway yet.");
}

/**
 * @param {Picture} picture
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
      s.worker ?? "waits",
      s.gateway ?? "–",
      `${s.seconds.toFixed(0)} s`,
      `${s.unread_ms} ms`,
      `${s.ahead_ms} ms`,
      `${s.reply}`,
      `${Math.max(0, s.owners - 1)}${s.strikes ? `, ${s.strikes} strike` : ""}`,
    ];
    return /** @type {[string, (string | Node)[]]} */ ([s.session, cells]);
  });
  fill("#sessions", rows, "Nobody is calling.");
  for (const row of document.querySelectorAll("#sessions tbody tr")) {
    row.toggleAttribute("data-chosen", row instanceof HTMLElement && row.dataset.key === chosen);
  }
  const more = find("#more", HTMLElement);
  more.hidden = sessions_total <= sessions.length;
  more.textContent = `${sessions.length} of ${sessions_total} sessions are listed.`;
}

/** @param {number | null} value */
function ms(value) {
  return value === null ? "–" : `${show(value)} ms`;
}
