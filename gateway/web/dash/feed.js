// @ts-check
/**
 * Streams the gateway's figures: one request that returns one line of JSON per second, and is sent
 * again when it breaks. A token, if the gateway requires one, is stored for this tab only.
 */

const RETRY_MS = [500, 1_000, 2_000, 5_000];
const SILENT_MS = 5_000; // snapshots come every second, so by then the connection is dead
const KEY = "antiphon-stats-token";
/** The gateway's address: it may lie below a path of its server. */
const GATEWAY = new URL("../../", import.meta.url);

/**
 * @typedef {(number | null)[]} Row
 * @typedef {{columns: string[], rows: Row[]}} History
 * @typedef {{slots: number, free: number, engine: string, step_ms: number, step_p95_ms: number,
 *            step_p99_ms: number, takeovers: number | null}} WorkerLine
 * @typedef {{callers: number, answer_p50: number | null, late_p99: number | null,
 *            underruns: number, refusals: number}} GatewayLine
 * @typedef {{session: string, mode: string, worker: string | null, gateway: string | null,
 *            owners: number, seconds: number, unread_ms: number, ahead_ms: number, reply: number,
 *            played: number, frame: number, strikes: number}} SessionLine
 * @typedef {{gateway: string, up_s: number, row: Row, workers: Record<string, WorkerLine>,
 *            gateways: Record<string, GatewayLine>, sessions_total?: number,
 *            sessions?: SessionLine[]}} Snapshot
 *
 * `locked`: the gateway requires a token.
 * @typedef {{history: (history: History) => void, snapshot: (snapshot: Snapshot) => void,
 *            lost: (reason: string) => void, locked: () => void}} FeedCallbacks
 */

export class HttpError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export class Feed {
  #callbacks;
  #attempt = 0;
  #timer = 0;

  /** @param {FeedCallbacks} callbacks */
  constructor(callbacks) {
    this.#callbacks = callbacks;
    void this.#follow();
  }

  /** @param {string} token */
  unlock(token) {
    sessionStorage.setItem(KEY, token);
    this.#attempt = 0;
    void this.#follow();
  }

  /**
   * @param {string} path below the gateway's address
   * @returns {Promise<any>} the answer's JSON
   * @throws {HttpError} when the gateway refuses.
   */
  async get(path) {
    const answer = await fetch(new URL(path, GATEWAY), { headers: headers() });
    const body = await answer.json();
    if (!answer.ok) throw new HttpError(answer.status, body.error ?? `HTTP ${answer.status}`);
    return body;
  }

  async #follow() {
    const abort = new AbortController();
    let reason = "the gateway closed the stream";
    try {
      const stream = new URL("api/stats/stream", GATEWAY);
      const answer = await fetch(stream, { headers: headers(), signal: abort.signal });
      if (answer.status === 401) return this.#callbacks.locked();
      if (answer.ok && answer.body !== null) await this.#read(answer.body, abort);
      else reason = (await answer.json()).error;
    } catch {
      reason = "the gateway is not responding";
    }
    clearTimeout(this.#timer);
    this.#callbacks.lost(reason);
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
      for (const line of lines) this.#receive(JSON.parse(line));
    }
  }

  /** @param {History | Snapshot} message */
  #receive(message) {
    if ("rows" in message) return this.#callbacks.history(message);
    this.#attempt = 0;
    this.#callbacks.snapshot(message);
  }
}

/** @returns {Record<string, string>} */
function headers() {
  const token = sessionStorage.getItem(KEY);
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}
