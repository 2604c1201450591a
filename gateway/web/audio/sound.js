// @ts-check
import { Loopback } from "./loopback.js";
import { Microphone } from "./microphone.js";
import { Recording } from "./recording.js";

/**
 * The microphone, the speaker and the worklets between them and the socket's worker.
 *
 * Construct it inside the click: a context that is created or resumed after an await stays silent
 * on iOS.
 */

const RATE = 24_000;
const VOLUME_S = 0.02; // the time constant with which a new volume is reached, without a click
const WORKLETS = ["capture", "playback", "recorder"];

/**
 * How the assistant's voice gets to the loudspeaker. Chromium's echo canceller removes what plays
 * through a local peer connection and may leave what an AudioContext plays itself; the way through
 * costs some 70 ms, and the server tells an echo from the caller: so "direct" is the default.
 * @typedef {"direct" | "loopback"} Path
 */

/**
 * @typedef {import("./playback.worklet.js").PlaybackReport} PlaybackReport
 * @typedef {import("./microphone.js").MicrophoneWish} MicrophoneWish
 *
 * @typedef {MicrophoneWish & {speaker: string, volume: number, loopback: boolean}} SoundWish
 *   `speaker`: the device's id, empty for the system's own; `volume`: 0 to 1; `loopback`: the path.
 *
 * @typedef {object} Ears
 * @property {(level: number) => void} input
 * @property {(report: PlaybackReport) => void} output
 * @property {(generation: number, at: number) => void} heard
 *   `at`: when the caller hears the reply's first audible sample, milliseconds since the epoch.
 * @property {(code: "microphone_changed" | "speaker_gone" | "no_loopback", label: string) => void} changed
 * @property {(error: unknown) => void} lost the microphone is gone, and there is no other
 *
 * @typedef {{capture: MessagePort, playback: MessagePort}} SocketPorts
 */

export class Sound {
  #context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  /** @type {AudioNode[]} what hears the microphone */
  #hearers = [];
  /** @type {GainNode | null} */
  #volume = null;
  /** @type {Path} */
  #path = "direct";
  /** @type {Loopback | null} */
  #loopback = null;
  #speaker = ""; // whichever path leads there
  #closed = false;
  #ears;
  #microphone;
  /** @type {Recording | null} what was said so far */
  recording = null;

  /** @param {Ears} ears */
  constructor(ears) {
    this.#ears = ears;
    this.#microphone = new Microphone({
      connect: (stream) => this.#listen(stream),
      fellBack: (label) => ears.changed("microphone_changed", label),
      lost: ears.lost,
    });
    this.#wake();
  }

  /**
   * Ask for the microphone and build the graph.
   * @param {SoundWish} wish
   * @returns {Promise<SocketPorts>} the ports that the socket's worker gets
   * @throws {DOMException} as getUserMedia does
   */
  async open(wish) {
    await this.#microphone.open(wish);
    const context = this.#context;
    await Promise.all(WORKLETS.map((name) => addWorklet(context, name)));
    const capture = this.#hear();
    this.#path = pathOf(wish);
    const playback = this.#speak(wish.volume);
    this.#hearers = [capture, this.#record(playback)];
    this.#attach();
    if (wish.speaker !== "") await this.setSpeaker(wish.speaker);
    return { capture: socketPort(capture), playback: socketPort(playback) };
  }

  /** @param {MicrophoneWish} wish */
  setMicrophone(wish) {
    this.#microphone.change(wish);
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.#microphone.setMuted(muted);
  }

  /** @param {number} volume 0 to 1 */
  setVolume(volume) {
    this.#volume?.gain.setTargetAtTime(volume, this.#context.currentTime, VOLUME_S);
  }

  /** @param {string} speaker the device's id, empty for the system's own */
  async setSpeaker(speaker) {
    this.#speaker = speaker;
    try {
      await this.#lead(speaker);
    } catch {
      this.#speaker = "";
      await this.#lead("").catch(() => {}); // then the sound stays where it is
      this.#ears.changed("speaker_gone", "");
    }
  }

  /**
   * Both paths, so that a change from one to the other stays at the speaker.
   * @param {string} speaker
   */
  async #lead(speaker) {
    const context = /** @type {{setSinkId?: (id: string) => Promise<void>}} */ (this.#context);
    await context.setSinkId?.(speaker);
    await this.#loopback?.setSpeaker(speaker);
  }

  /** Let the microphone go. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#loopback?.close();
    this.#microphone.close();
    void this.#context.close();
  }

  /** @param {MediaStream} stream */
  #listen(stream) {
    this.#source = this.#sourceOf(stream);
    this.#attach();
    return this.#source;
  }

  #attach() {
    for (const hearer of this.#hearers) this.#source?.connect(hearer, 0, 0);
  }

  /**
   * Firefox takes no microphone into a context of another rate: there the native rate serves, and
   * the worklets resample.
   * @param {MediaStream} stream
   */
  #sourceOf(stream) {
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

  #hear() {
    const capture = new AudioWorkletNode(this.#context, "capture", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit", // the browser mixes two channels down
    });
    capture.port.onmessage = ({ data }) => this.#ears.input(data.level);
    return capture;
  }

  /** @param {number} volume 0 to 1 */
  #speak(volume) {
    const playback = new AudioWorkletNode(this.#context, "playback", { numberOfInputs: 0 });
    playback.port.onmessage = ({ data }) => {
      if ("report" in data) this.#ears.output(data.report);
      else this.#ears.heard(data.heard.generation, this.#epochMs(data.heard.at));
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
   * Choose the way to the loudspeaker, before or in a call. Where the loopback cannot be had the
   * way stays direct.
   * @param {Path} path
   */
  async setPath(path) {
    this.#path = path;
    if (path === "loopback") {
      if (this.#volume !== null && this.#loopback === null) await this.#loop(this.#volume);
      return;
    }
    if (this.#loopback === null) return;
    this.#loopback.close();
    this.#loopback = null;
    this.#volume?.disconnect();
    this.#volume?.connect(this.#context.destination);
  }

  /**
   * The voice plays directly until the way through is open, so that none of it is lost.
   * @param {AudioNode} voice
   */
  async #loop(voice) {
    const loopback = new Loopback(this.#context);
    this.#loopback = loopback;
    try {
      await loopback.setSpeaker(this.#speaker);
      await loopback.open();
    } catch {
      if (this.#loopback !== loopback) return;
      await this.setPath("direct");
      this.#ears.changed("no_loopback", "");
    }
    if (this.#closed || this.#loopback !== loopback) return loopback.close();
    voice.disconnect();
    voice.connect(loopback.entry);
  }

  /**
   * Both sides into one recording.
   * @param {AudioNode} playback
   * @returns {AudioNode} what takes the caller's side
   */
  #record(playback) {
    const sides = new ChannelMergerNode(this.#context, { numberOfInputs: 2 });
    const recorder = new AudioWorkletNode(this.#context, "recorder", { numberOfOutputs: 0 });
    const recording = new Recording(this.#context.sampleRate);
    recorder.port.onmessage = ({ data }) => recording.add(data.block);
    playback.connect(sides, 0, 1);
    sides.connect(recorder);
    this.recording = recording;
    return sides;
  }

  /** @param {number} seconds of the context's clock, of a sample that is rendered then */
  #epochMs(seconds) {
    const { currentTime, outputLatency = 0 } = this.#context;
    const fromNow = 1_000 * (seconds - currentTime + outputLatency);
    return performance.timeOrigin + performance.now() + fromNow;
  }
}

/**
 * @param {{loopback: boolean}} wish
 * @returns {Path}
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
 * One end for the worklet, the other for whoever gets it.
 * @param {AudioWorkletNode} node
 */
function socketPort(node) {
  const { port1, port2 } = new MessageChannel();
  node.port.postMessage({ socket: port1 }, [port1]);
  return port2;
}
