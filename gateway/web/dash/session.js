// @ts-check
import { Chart } from "./chart.js";
import { find, make } from "./dom.js";
import { draw } from "./strip.js";
import { Timeline } from "./timeline.js";

/** The panel of one session: asks for what is new twice a second, and shows it. */

const EVERY_MS = 500;
const LISTED = 40;

const panel = find("#timeline", HTMLElement);
const strip = find("#strip", HTMLCanvasElement);
const where = find("#where", HTMLElement);
const events = find("#events", HTMLOListElement);

const lag = new Chart(
  {
    title: "Lag",
    unit: "ms",
    says: "what the worker has not read yet, and what was said ahead of the playhead",
    lines: [
      { column: "", name: "unread", ink: "you" },
      { column: "", name: "ahead", ink: "it", dashed: true },
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
  #listed = "";

  /** @param {import("./feed.js").Feed} feed */
  constructor(feed) {
    this.#feed = feed;
    find("#close", HTMLButtonElement).onclick = () => this.close();
  }

  /** @param {string} session */
  open(session) {
    this.session = session;
    this.#timeline = new Timeline();
    this.#listed = "";
    find("#timeline-title", HTMLElement).textContent = `Session ${session.slice(0, 8)}`;
    panel.hidden = false;
    panel.scrollIntoView({ block: "nearest" });
    find("#close", HTMLButtonElement).focus();
    clearTimeout(this.#timer);
    void this.#ask(session);
  }

  close() {
    this.session = null;
    panel.hidden = true;
    clearTimeout(this.#timer);
  }

  /** @param {string} session */
  async #ask(session) {
    try {
      const path = `/api/sessions/${session}?after=${this.#timeline.after.join()}`;
      const answer = await this.#feed.ask(path);
      if (this.session !== session) return;
      this.#show(answer);
    } catch (error) {
      if (this.session !== session) return;
      where.textContent = error instanceof Error ? error.message : "No answer";
      if (where.textContent === "The session is over") return;
    }
    this.#timer = setTimeout(() => this.#ask(session), EVERY_MS);
  }

  /** @param {import("./timeline.js").Answer} answer */
  #show(answer) {
    this.#timeline.add(answer);
    draw(strip, this.#timeline);
    lag.show(this.#timeline.lag);
    const { mode, worker, gateway, owners, reply, frame } = answer;
    const said = [
      `${mode} mode`,
      worker === null ? "waits for a worker" : `worker ${worker}`,
      `gateway ${gateway ?? "–"}`,
      `taken over ${times(owners - 1)}`,
      `reply ${reply}`,
      `frame ${frame}`,
    ].join(" · ");
    if (where.textContent !== said) where.textContent = said;
    this.#list();
  }

  #list() {
    const newest = this.#timeline.happenings.slice(-LISTED).reverse();
    const key = newest.map(({ at, text }) => at + text).join();
    if (key === this.#listed) return;
    this.#listed = key;
    events.replaceChildren(
      ...newest.map(({ at, text, mark }) => {
        const item = make("li", make("time", `${at.toFixed(2)} s`));
        const sign = make("span", mark, "mark");
        sign.setAttribute("aria-hidden", "true");
        item.append(sign, text);
        return item;
      }),
    );
  }
}

/** @param {number} count */
function times(count) {
  return count <= 0 ? "never" : count === 1 ? "once" : `${count} times`;
}
