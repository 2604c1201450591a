// @ts-check
/**
 * The microphone that the caller speaks into. It can be changed in mid-call; one that is unplugged
 * gives way to the system's own.
 */

/**
 * What the caller wants of the microphone.
 * @typedef {object} MicrophoneWish
 * @property {string} microphone the device's id, empty for the system's own
 * @property {boolean} echoCancellation
 * @property {boolean} noiseSuppression
 * @property {boolean} autoGainControl
 *
 * @typedef {object} MicrophoneEnds
 * @property {(stream: MediaStream) => MediaStreamAudioSourceNode} connect into the graph
 * @property {(label: string) => void} fellBack the wished one is not there; this one serves
 * @property {(error: unknown) => void} lost and there is no other, or it is not allowed any more
 */

export class Microphone {
  #ends;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  #muted = false;
  #closed = false;
  /** @type {Promise<void>} one change after the other */
  #changes = Promise.resolve();

  /** @param {MicrophoneEnds} ends */
  constructor(ends) {
    this.#ends = ends;
  }

  /**
   * @param {MicrophoneWish} wish
   * @param {boolean} standIn for one that went away: the caller is told its name
   * @throws {DOMException} as getUserMedia does
   */
  async open(wish, standIn = false) {
    const { stream, fellBack } = await take(wish);
    if (this.#closed) return stop(stream);
    const [track] = stream.getAudioTracks();
    track.enabled = !this.#muted;
    track.onended = () => this.change({ ...wish, microphone: "" }, true);
    const source = this.#ends.connect(stream);
    this.#source?.disconnect();
    if (this.#stream !== null) stop(this.#stream);
    this.#stream = stream;
    this.#source = source;
    if (fellBack || standIn) this.#ends.fellBack(track.label);
  }

  /**
   * Another device, or another treatment of the sound. The old one serves until the new one does.
   * @param {MicrophoneWish} wish
   * @param {boolean} standIn as above
   */
  change(wish, standIn = false) {
    this.#changes = this.#changes
      .then(() => (this.#closed ? undefined : this.open(wish, standIn)))
      .catch((error) => {
        if (!this.#closed) this.#ends.lost(error);
      });
  }

  /** @param {boolean} muted then the browser itself gives silence, and may show it */
  setMuted(muted) {
    this.#muted = muted;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  close() {
    this.#closed = true;
    if (this.#stream !== null) stop(this.#stream);
  }
}

const ABSENT = ["NotFoundError", "OverconstrainedError"];

/**
 * The device that is wished, or the system's own when that one is not there.
 * @param {MicrophoneWish} wish
 */
async function take({ microphone, ...treatment }) {
  const audio = { channelCount: 1, ...treatment };
  if (microphone === "") return { stream: await ask(audio), fellBack: false };
  try {
    return { stream: await ask({ ...audio, deviceId: { exact: microphone } }), fellBack: false };
  } catch (error) {
    if (!ABSENT.includes(nameOf(error))) throw error;
    return { stream: await ask(audio), fellBack: true };
  }
}

/** @param {unknown} error what the browser threw; not all of it is an Error */
function nameOf(error) {
  return String(/** @type {{name?: unknown}} */ (error)?.name);
}

/** @param {MediaTrackConstraints} audio */
function ask(audio) {
  return navigator.mediaDevices.getUserMedia({ audio });
}

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}
