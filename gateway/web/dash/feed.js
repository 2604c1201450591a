// @ts-check
/**
 * The gateway's figures as they come: one line of JSON a second over one request, asked for again
 * when it breaks. A token, where the gateway wants one, is kept for this tab alone.
 */

const RETRY_MS = [500, 1_000, 2_000, 5_000];
const SILENT_MS = 5_000; // pictures come every second: the connection is dead
const KEY = "antiphon-stats-token";

/**
 * @typedef {(number | null)[]} Row
 * @typedef {{columns: string[], rows: Row[]}} Past
 * @typedef {{slots: number, free: number, engine: string, step_ms: number, step_p95_ms: number,
 *            step_p99_ms: number, takeovers: number | null}} WorkerLine
 * @typedef {{callers: number, answer_p50: number | null, late_p99: number | null,
 *            underruns: number, refusals: number}} GatewayLine
 * @typedef {{session: string, mode: string, worker: string | null, gateway: string | null,
 *            owners: number, seconds: number, unread_ms: number, ahead_ms: number, reply: number,
 *            played: number, frame: number, strikes: number}} SessionLine
 * @typedef {{gateway: string, up_s: number, row: Row, workers: Record<string, WorkerLine>,
 *            gateways: Record<string, GatewayLine>, sessions_total?: number,
 *            sessions?: SessionLine[]}} Picture
 *
 * @typedef {{past: (past: Past) => void, picture: (picture: Picture) => void,
 *            lost: (why: string) => void, locked: () => void}} Viewer
 */

export class Feed {
  #viewer;
  #attempt = 0;
  #timer = 0;

  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.#viewer = viewer;
    void this.#follow();
  }

  /** @param {string} token */
  unlock(token) {
    sessionStorage.setItem(KEY, token);
    this.#attempt = 0;
    void this.#follow();
  }

  /**
   * @param {string} path
   * @returns {Promise<any>} the answer's JSON
   * @throws {Error} in words, when there is none.
   */
  async ask(path) {
    const answer = await fetch(path, { headers: headers() });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error ?? `HTTP ${answer.status}`);
    return body;
  }

  async #follow() {
    const abort = new AbortController();
    let why = "the gateway ended the stream";
    try {
      const answer = await fetch("/api/stats/stream", { headers: headers(), signal: abort.signal });
      if (answer.status === 401) return this.#viewer.locked();
      if (answer.ok && answer.body !== null) await this.#read(answer.body, abort);
      else why = (await answer.json()).error;
    } catch (error) {
      why = "the gateway does not answer";
    }
    clearTimeout(this.#timer);
    this.#viewer.lost(why);
    const pause = RETRY_MS[Math.min(this.#attempt++, RETRY_MS.length - 1)];
    setTimeout(() => this.#follow(), pause * (0.5 + Math.random()));
  }

  /**
   * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
   * @param {AbortController} abort
   */
  async #read(body, abort) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => abort.abort(), SILENT_MS);
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(JSON.parse(line));
    }
  }

  /** @param {Past | Picture} message */
  #take(message) {
    if ("rows" in message) return this.#viewer.past(message);
    this.#attempt = 0;
    this.#viewer.picture(message);
  }
}

/** @returns {Record<string, string>} */
function headers() {
  const token = sessionStorage.getItem(KEY);
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}
