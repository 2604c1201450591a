// @ts-check
import { find } from "../ui/find.js";
import { Chart } from "./chart.js";
import { make } from "./dom.js";
import { HttpError } from "./feed.js";
import { draw } from "./strip.js";
import { Timeline } from "./timeline.js";

/** The panel of one session: gets its new records twice a second and shows them. */

const EVERY_MS = 500;
const EVENTS_SHOWN = 40;

const panel = find("#timeline", HTMLElement);
const strip = find("#strip", HTMLCanvasElement);
const where = find("#where", HTMLElement);
const events = find("#events", HTMLOListElement);

const lag = new Chart(
  {
    title: "Lag",
    unit: "ms",
    description: "Audio that the worker has not read yet, and audio sent ahead of the playhead.",
    lines: [
      { column: "", name: "unread", color: "blue" },
      { column: "", name: "ahead", color: "red", dashed: true },
    ],
    least: 400,
    clock: false,
  },
  find("#lag", HTMLElement),
);

export class SessionPanel {
  /** @type {string | null} */
  session = null;
  #feed;
  #timeline = new Timeline();
  #timer = 0;
  #shownEvents = "";

  /** @param {import("./feed.js").Feed} feed */
  constructor(feed) {
    this.#feed = feed;
    find("#close", HTMLButtonElement).onclick = () => this.close();
  }

  /** @param {string} session */
  open(session) {
    this.session = session;
    this.#timeline = new Timeline();
    this.#shownEvents = "";
    find("#timeline-title", HTMLElement).textContent = `Session ${session.slice(0, 8)}`;
    panel.hidden = false;
    panel.scrollIntoView({ block: "nearest" });
    find("#close", HTMLButtonElement).focus();
    clearTimeout(this.#timer);
    void this.#refresh(session);
  }

  close() {
    this.session = null;
    panel.hidden = true;
    clearTimeout(this.#timer);
  }

  /** @param {string} session */
  async #refresh(session) {
    try {
      const path = `api/sessions/${session}?after=${this.#timeline.after.join()}`;
      const answer = await this.#feed.get(path);
      if (this.session !== session) return;
      this.#show(answer);
    } catch (error) {
      if (this.session !== session) return;
      where.textContent = error instanceof Error ? error.message : "The gateway is not responding";
      if (error instanceof HttpError && error.status === 404) return; // the session is over
    }
    this.#timer = setTimeout(() => this.#refresh(session), EVERY_MS);
  }

  /** @param {import("./timeline.js").Answer} answer */
  #show(answer) {
    this.#timeline.add(answer);
    draw(strip, this.#timeline);
    lag.show(this.#timeline.lag);
    const { mode, worker, gateway, owners, reply, frame } = answer;
    const summary = [
      `${mode} mode`,
      worker === null ? "waiting for a worker" : `worker ${worker}`,
      `gateway ${gateway ?? "–"}`,
      takeovers(owners - 1),
      `reply ${reply}`,
      `frame ${frame}`,
    ].join(" · ");
    if (where.textContent !== summary) where.textContent = summary;
    this.#showEvents();
  }

  #showEvents() {
    // An event may concern a time before that of an earlier event, such as the start of speech.
    const newest = this.#timeline.events.slice(-EVENTS_SHOWN).sort((a, b) => b.at - a.at);
    const key = newest.map(({ at, text }) => at + text).join();
    if (key === this.#shownEvents) return;
    this.#shownEvents = key;
    events.replaceChildren(
      ...newest.map(({ at, text, mark }) => {
        const item = make("li", make("time", `${at.toFixed(2)} s`));
        const symbol = make("span", mark, "mark");
        symbol.setAttribute("aria-hidden", "true");
        item.append(symbol, text);
        return item;
      }),
    );
  }
}

/** @param {number} count */
function takeovers(count) {
  if (count <= 0) return "no takeovers";
  return count === 1 ? "1 takeover" : `${count} takeovers`;
}
