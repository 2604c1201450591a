// @ts-check
/**
 * The caller's microphone. It can change during the call; if it is disconnected, the system default
 * takes over.
 */

/**
 * @typedef {object} MicrophoneSettings
 * @property {string} microphone the device's id; empty for the system default
 * @property {boolean} echoCancellation
 * @property {boolean} noiseSuppression
 * @property {boolean} autoGainControl
 *
 * @typedef {object} MicrophoneCallbacks
 * @property {(stream: MediaStream) => MediaStreamAudioSourceNode} connect to the audio graph
 * @property {(label: string) => void} replaced the chosen one is missing, and this one took over
 * @property {(error: unknown) => void} lost there is no other one, or permission was withdrawn
 */

export class Microphone {
  #callbacks;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  #muted = false;
  #closed = false;
  /** @type {Promise<void>} runs one change after another */
  #changes = Promise.resolve();

  /** @param {MicrophoneCallbacks} callbacks */
  constructor(callbacks) {
    this.#callbacks = callbacks;
  }

  /**
   * @param {MicrophoneSettings} settings
   * @param {boolean} replaces whether it takes over from one that was disconnected
   * @throws {DOMException} like getUserMedia
   */
  async open(settings, replaces = false) {
    const { stream, fellBack } = await openStream(settings);
    if (this.#closed) return stop(stream);
    const [track] = stream.getAudioTracks();
    track.enabled = !this.#muted;
    track.onended = () => this.change({ ...settings, microphone: "" }, true);
    const source = this.#callbacks.connect(stream);
    this.#source?.disconnect();
    if (this.#stream !== null) stop(this.#stream);
    this.#stream = stream;
    this.#source = source;
    if (fellBack || replaces) this.#callbacks.replaced(track.label);
  }

  /**
   * Change the device or the browser's processing. The old one works until the new one is open.
   * @param {MicrophoneSettings} settings
   * @param {boolean} replaces as above
   */
  change(settings, replaces = false) {
    this.#changes = this.#changes
      .then(() => (this.#closed ? undefined : this.open(settings, replaces)))
      .catch((error) => {
        if (!this.#closed) this.#callbacks.lost(error);
      });
  }

  /** @param {boolean} muted disables the track, so that the browser's own indicator shows it too */
  setMuted(muted) {
    this.#muted = muted;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  close() {
    this.#closed = true;
    if (this.#stream !== null) stop(this.#stream);
  }
}

const MISSING = ["NotFoundError", "OverconstrainedError"];

/**
 * Open the chosen device, or the system default if that one is missing.
 * @param {MicrophoneSettings} settings
 */
async function openStream({ microphone, ...processing }) {
  const audio = { channelCount: 1, ...processing };
  if (microphone === "") return { stream: await getStream(audio), fellBack: false };
  try {
    const chosen = { ...audio, deviceId: { exact: microphone } };
    return { stream: await getStream(chosen), fellBack: false };
  } catch (error) {
    if (!MISSING.includes(nameOf(error))) throw error;
    return { stream: await getStream(audio), fellBack: true };
  }
}

/** @param {unknown} error from the browser, which does not always throw an Error */
function nameOf(error) {
  return String(/** @type {{name?: unknown}} */ (error)?.name);
}

/** @param {MediaTrackConstraints} audio */
function getStream(audio) {
  return navigator.mediaDevices.getUserMedia({ audio });
}

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}
