// @ts-check
/**
 * The microphone, the speaker and the two worklets between them and the socket's worker.
 *
 * Construct it inside the click: a context that is created or resumed after an await stays silent
 * on iOS.
 */

const RATE = 24_000;

/**
 * @typedef {import("./playback.worklet.js").PlaybackReport} PlaybackReport
 * @typedef {{input: (level: number) => void, output: (report: PlaybackReport) => void,
 *            heard: (generation: number, at: number) => void, unplugged: () => void}} Ears
 *   `at`: when the caller hears the reply's first audible sample, milliseconds since the epoch.
 * @typedef {{capture: MessagePort, playback: MessagePort}} SocketPorts
 */

export class Sound {
  #context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {AudioWorkletNode | null} */
  #capture = null;
  #closed = false;
  #ears;

  /** @param {Ears} ears */
  constructor(ears) {
    this.#ears = ears;
    this.#wake();
  }

  /**
   * Ask for the microphone and build the graph.
   * @param {boolean} processing the browser's echo cancellation, noise suppression and gain
   * @returns {Promise<SocketPorts>} the ports that the socket's worker gets
   * @throws {DOMException} as getUserMedia does
   */
  async open(processing) {
    const stream = await microphone(processing);
    this.#stream = stream;
    if (this.#closed) stop(stream);
    for (const track of stream.getTracks()) track.onended = () => this.#ears.unplugged();
    const source = this.#source(stream);
    const context = this.#context;
    await Promise.all(["capture", "playback"].map((name) => addWorklet(context, name)));
    return { capture: this.#hear(source), playback: this.#speak() };
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.#capture?.port.postMessage({ muted });
  }

  /** Let the microphone go. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#stream !== null) stop(this.#stream);
    void this.#context.close();
  }

  /**
   * Firefox takes no microphone into a context of another rate: there the native rate serves, and
   * the worklets resample.
   * @param {MediaStream} stream
   */
  #source(stream) {
    try {
      return this.#context.createMediaStreamSource(stream);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NotSupportedError") throw error;
      void this.#context.close();
      this.#context = new AudioContext({ latencyHint: "interactive" });
      this.#wake();
      return this.#context.createMediaStreamSource(stream);
    }
  }

  /** A phone call or a headset suspends the context; it must come back by itself. */
  #wake() {
    const context = this.#context;
    const resume = () => {
      if (context.state === "running" || context.state === "closed") return;
      context.resume().catch(() => {}); // not yet: the next change of state tries again
    };
    context.onstatechange = resume;
    resume();
  }

  /** @param {MediaStreamAudioSourceNode} source */
  #hear(source) {
    this.#capture = new AudioWorkletNode(this.#context, "capture", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit", // the browser mixes two channels down
    });
    this.#capture.port.onmessage = ({ data }) => this.#ears.input(data.level);
    source.connect(this.#capture);
    return socketPort(this.#capture);
  }

  #speak() {
    const playback = new AudioWorkletNode(this.#context, "playback", { numberOfInputs: 0 });
    playback.port.onmessage = ({ data }) => {
      if ("report" in data) this.#ears.output(data.report);
      else this.#ears.heard(data.heard.generation, this.#epochMs(data.heard.at));
    };
    playback.connect(this.#context.destination);
    return socketPort(playback);
  }

  /** @param {number} seconds of the context's clock, of a sample that is rendered then */
  #epochMs(seconds) {
    const { currentTime, outputLatency = 0 } = this.#context;
    const fromNow = 1_000 * (seconds - currentTime + outputLatency);
    return performance.timeOrigin + performance.now() + fromNow;
  }
}

/** @param {boolean} processing */
function microphone(processing) {
  return navigator.mediaDevices.getUserMedia({
    audio: {
      channelCount: 1,
      echoCancellation: processing,
      noiseSuppression: processing,
      autoGainControl: processing,
    },
  });
}

/**
 * @param {AudioContext} context
 * @param {string} name
 */
function addWorklet(context, name) {
  return context.audioWorklet.addModule(new URL(`${name}.worklet.js`, import.meta.url));
}

/**
 * One end for the worklet, the other for whoever gets it.
 * @param {AudioWorkletNode} node
 */
function socketPort(node) {
  const { port1, port2 } = new MessageChannel();
  node.port.postMessage({ socket: port1 }, [port1]);
  return port2;
}

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}
