// @ts-check
/**
 * A peer connection from this page to itself. Chromium's echo canceller treats its output like the
 * far side of a call, and removes it from the microphone.
 */

const OPEN_WITHIN_MS = 3_000;

export class Loopback {
  #sender = new RTCPeerConnection();
  #receiver = new RTCPeerConnection();
  #speaker = new Audio();
  #destination;

  /** @param {AudioContext} context */
  constructor(context) {
    this.#destination = context.createMediaStreamDestination();
    forwardCandidates(this.#sender, this.#receiver);
    forwardCandidates(this.#receiver, this.#sender);
    this.#receiver.ontrack = ({ streams }) => (this.#speaker.srcObject = streams[0]);
  }

  /** The node to connect audio to. */
  get input() {
    return this.#destination;
  }

  /** @throws {Error} when the connection fails, or the browser does not let it play. */
  async open() {
    const { stream } = this.#destination;
    for (const track of stream.getAudioTracks()) this.#sender.addTrack(track, stream);
    const connected = this.#connected();
    await this.#sender.setLocalDescription(await this.#sender.createOffer());
    await this.#receiver.setRemoteDescription(/** @type {any} */ (this.#sender.localDescription));
    const answer = await this.#receiver.createAnswer();
    answer.sdp = withVoiceBitrate(answer.sdp ?? "");
    await this.#receiver.setLocalDescription(answer);
    await this.#sender.setRemoteDescription(answer);
    await connected;
    await this.#speaker.play();
  }

  /**
   * @param {string} id of the speaker; empty for the system default
   * @throws {DOMException} when there is no such speaker.
   */
  async setSpeaker(id) {
    await this.#speaker.setSinkId?.(id);
  }

  close() {
    this.#speaker.srcObject = null;
    this.#sender.close();
    this.#receiver.close();
  }

  /** @returns {Promise<void>} */
  #connected() {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("Loopback timed out")), OPEN_WITHIN_MS);
      this.#sender.onconnectionstatechange = () => {
        if (this.#sender.connectionState !== "connected") return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/**
 * @param {RTCPeerConnection} from
 * @param {RTCPeerConnection} to
 */
function forwardCandidates(from, to) {
  from.onicecandidate = ({ candidate }) => void to.addIceCandidate(candidate ?? undefined);
}

/**
 * Raise Opus to a bitrate without audible loss: its default saves bandwidth, which is free here.
 * @param {string} sdp
 */
function withVoiceBitrate(sdp) {
  return sdp.replace(/(a=fmtp:\d+ [^\r\n]*useinbandfec=1)/, "$1;maxaveragebitrate=128000;stereo=0");
}
