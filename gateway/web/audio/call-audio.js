// @ts-check
import { Loopback } from "./loopback.js";
import { Microphone } from "./microphone.js";
import { Recording } from "./recording.js";

/**
 * A call's audio graph: the microphone, the speaker, and the worklets between them and the socket's
 * worker.
 *
 * Construct it inside the click: on iOS a context that is created or resumed later stays silent.
 */

const RATE = 24_000;
const VOLUME_S = 0.02; // time constant of a volume change, so that it does not click
const WORKLETS = ["capture", "playback", "recorder"];

/**
 * How the assistant's voice reaches the speaker. Chromium's echo canceller removes audio from a
 * local peer connection, and may miss audio that an AudioContext plays itself. The loopback adds
 * 70 ms, and the server tolerates echo, so "direct" is the default.
 * @typedef {"direct" | "loopback"} OutputPath
 */

/**
 * @typedef {import("./playback.worklet.js").PlaybackReport} PlaybackReport
 * @typedef {import("./microphone.js").MicrophoneSettings} MicrophoneSettings
 *
 * `speaker`: the device's id; empty for the system default. `volume`: 0 to 1. `loopback`: whether
 * the voice takes that path.
 * @typedef {MicrophoneSettings & {speaker: string, volume: number,
 *                                 loopback: boolean}} AudioSettings
 *
 * @typedef {"microphone_changed" | "speaker_gone" | "no_loopback"} AudioNotice
 *
 * @typedef {object} AudioCallbacks
 * @property {(level: number) => void} input
 * @property {(report: PlaybackReport) => void} output
 * @property {(generation: number, at: number) => void} firstSound
 *   `at`: when the reply's first audible sample is played, in milliseconds since the epoch
 * @property {(notice: AudioNotice, label: string) => void} changed
 * @property {(error: unknown) => void} lost the microphone is gone, and there is no other one
 *
 * @typedef {{capture: MessagePort, playback: MessagePort}} SocketPorts
 */

export class CallAudio {
  #context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  /** @type {AudioNode[]} that get the microphone's audio */
  #inputs = [];
  /** @type {GainNode | null} */
  #volume = null;
  /** @type {OutputPath} */
  #path = "direct";
  /** @type {Loopback | null} */
  #loopback = null;
  #speaker = ""; // on either path
  #closed = false;
  #callbacks;
  #microphone;
  /** @type {Recording | null} null before the call begins */
  recording = null;

  /** @param {AudioCallbacks} callbacks */
  constructor(callbacks) {
    this.#callbacks = callbacks;
    this.#microphone = new Microphone({
      connect: (stream) => this.#connectMicrophone(stream),
      replaced: (label) => callbacks.changed("microphone_changed", label),
      lost: callbacks.lost,
    });
    this.#keepRunning();
  }

  /**
   * Ask for the microphone and build the graph.
   * @param {AudioSettings} settings
   * @returns {Promise<SocketPorts>} the ports for the socket's worker
   * @throws {DOMException} like getUserMedia
   */
  async open(settings) {
    await this.#microphone.open(settings);
    const context = this.#context;
    await Promise.all(WORKLETS.map((name) => addWorklet(context, name)));
    const capture = this.#createCapture();
    this.#path = pathOf(settings);
    const playback = this.#createPlayback(settings.volume);
    this.#inputs = [capture, this.#createRecorder(playback)];
    this.#connectInputs();
    if (settings.speaker !== "") await this.setSpeaker(settings.speaker);
    return { capture: socketPort(capture), playback: socketPort(playback) };
  }

  /** @param {MicrophoneSettings} settings */
  setMicrophone(settings) {
    this.#microphone.change(settings);
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.#microphone.setMuted(muted);
  }

  /** @param {number} volume 0 to 1 */
  setVolume(volume) {
    this.#volume?.gain.setTargetAtTime(volume, this.#context.currentTime, VOLUME_S);
  }

  /** @param {string} speaker the device's id; empty for the system default */
  async setSpeaker(speaker) {
    this.#speaker = speaker;
    try {
      await this.#setSinks(speaker);
    } catch {
      this.#speaker = "";
      await this.#setSinks("").catch(() => {}); // if that fails too, the sound stays where it is
      this.#callbacks.changed("speaker_gone", "");
    }
  }

  /**
   * Set the speaker of both paths, so that a change of path keeps it.
   * @param {string} speaker
   */
  async #setSinks(speaker) {
    const context = /** @type {{setSinkId?: (id: string) => Promise<void>}} */ (this.#context);
    await context.setSinkId?.(speaker);
    await this.#loopback?.setSpeaker(speaker);
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#loopback?.close();
    this.#microphone.close();
    void this.#context.close();
  }

  /** @param {MediaStream} stream */
  #connectMicrophone(stream) {
    this.#source = this.#createSource(stream);
    this.#connectInputs();
    return this.#source;
  }

  #connectInputs() {
    for (const input of this.#inputs) this.#source?.connect(input, 0, 0);
  }

  /**
   * Firefox cannot connect a microphone to a context of another rate. Its context then runs at the
   * microphone's own rate, and the worklets resample.
   * @param {MediaStream} stream
   */
  #createSource(stream) {
    try {
      return this.#context.createMediaStreamSource(stream);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NotSupportedError") throw error;
      void this.#context.close();
      this.#context = new AudioContext({ latencyHint: "interactive" });
      this.#keepRunning();
      return this.#context.createMediaStreamSource(stream);
    }
  }

  /** Resume the context whenever a phone call or a headset has suspended it. */
  #keepRunning() {
    const context = this.#context;
    const resume = () => {
      if (context.state === "running" || context.state === "closed") return;
      context.resume().catch(() => {}); // the next change of state tries again
    };
    context.onstatechange = resume;
    resume();
  }

  #createCapture() {
    const capture = new AudioWorkletNode(this.#context, "capture", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit", // the browser mixes stereo down to mono
    });
    capture.port.onmessage = ({ data }) => this.#callbacks.input(data.level);
    return capture;
  }

  /** @param {number} volume 0 to 1 */
  #createPlayback(volume) {
    const playback = new AudioWorkletNode(this.#context, "playback", { numberOfInputs: 0 });
    playback.port.onmessage = ({ data }) => {
      if ("report" in data) return this.#callbacks.output(data.report);
      const { generation, at } = data.firstSound;
      this.#callbacks.firstSound(generation, this.#epochMs(at));
    };
    this.#volume = new GainNode(this.#context, { gain: volume });
    playback.connect(this.#volume).connect(this.#context.destination);
    void this.setPath(this.#path);
    return playback;
  }

  get path() {
    return this.#path;
  }

  /**
   * Choose the path to the speaker, before or during the call. It stays direct if the browser
   * cannot open the loopback.
   * @param {OutputPath} path
   */
  async setPath(path) {
    this.#path = path;
    if (path === "loopback") {
      if (this.#volume !== null && this.#loopback === null) await this.#openLoopback(this.#volume);
      return;
    }
    if (this.#loopback === null) return;
    this.#loopback.close();
    this.#loopback = null;
    this.#volume?.disconnect();
    this.#volume?.connect(this.#context.destination);
  }

  /**
   * The voice plays directly until the loopback is open, so that none of it is lost.
   * @param {AudioNode} voice
   */
  async #openLoopback(voice) {
    const loopback = new Loopback(this.#context);
    this.#loopback = loopback;
    try {
      await loopback.setSpeaker(this.#speaker);
      await loopback.open();
    } catch {
      if (this.#loopback !== loopback) return;
      await this.setPath("direct");
      this.#callbacks.changed("no_loopback", "");
    }
    if (this.#closed || this.#loopback !== loopback) return loopback.close();
    voice.disconnect();
    voice.connect(loopback.input);
  }

  /**
   * Record both sides.
   * @param {AudioNode} playback
   * @returns {AudioNode} the input for the caller's side
   */
  #createRecorder(playback) {
    const sides = new ChannelMergerNode(this.#context, { numberOfInputs: 2 });
    const recorder = new AudioWorkletNode(this.#context, "recorder", { numberOfOutputs: 0 });
    const recording = new Recording(this.#context.sampleRate);
    recorder.port.onmessage = ({ data }) => recording.add(data.block);
    playback.connect(sides, 0, 1);
    sides.connect(recorder);
    this.recording = recording;
    return sides;
  }

  /** @param {number} seconds when a sample is rendered, on the context's clock */
  #epochMs(seconds) {
    const { currentTime, outputLatency = 0 } = this.#context;
    const fromNow = 1_000 * (seconds - currentTime + outputLatency);
    return performance.timeOrigin + performance.now() + fromNow;
  }
}

/**
 * @param {{loopback: boolean}} settings
 * @returns {OutputPath}
 */
export function pathOf({ loopback }) {
  return loopback ? "loopback" : "direct";
}

/**
 * @param {AudioContext} context
 * @param {string} name
 */
function addWorklet(context, name) {
  return context.audioWorklet.addModule(new URL(`${name}.worklet.js`, import.meta.url));
}

/**
 * Give the worklet one end of a channel, and return the other end.
 * @param {AudioWorkletNode} node
 */
function socketPort(node) {
  const { port1, port2 } = new MessageChannel();
  node.port.postMessage({ socket: port1 }, [port1]);
  return port2;
}
