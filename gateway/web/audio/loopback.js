// @ts-check
/**
 * A peer connection from this page to itself: what goes in plays as a call's far side does, so that
 * Chromium's echo canceller knows it.
 */

const OPEN_WITHIN_MS = 3_000;

export class Loopback {
  #near = new RTCPeerConnection();
  #far = new RTCPeerConnection();
  #speaker = new Audio();
  #destination;

  /** @param {AudioContext} context */
  constructor(context) {
    this.#destination = context.createMediaStreamDestination();
    this.#near.onicecandidate = ({ candidate }) => void this.#far.addIceCandidate(candidate ?? undefined);
    this.#far.onicecandidate = ({ candidate }) => void this.#near.addIceCandidate(candidate ?? undefined);
    this.#far.ontrack = ({ streams }) => (this.#speaker.srcObject = streams[0]);
  }

  /** What is connected to it is played. */
  get entry() {
    return this.#destination;
  }

  /** @throws {Error} when no connection comes about, or the browser does not let it play. */
  async open() {
    const { stream } = this.#destination;
    for (const track of stream.getAudioTracks()) this.#near.addTrack(track, stream);
    const connected = this.#connected();
    await this.#near.setLocalDescription(await this.#near.createOffer());
    await this.#far.setRemoteDescription(/** @type {any} */ (this.#near.localDescription));
    const answer = await this.#far.createAnswer();
    answer.sdp = spoken(answer.sdp ?? "");
    await this.#far.setLocalDescription(answer);
    await this.#near.setRemoteDescription(answer);
    await connected;
    await this.#speaker.play();
  }

  /**
   * @param {string} id of the speaker, empty for the system's own
   * @throws {DOMException} when there is no such speaker.
   */
  async setSpeaker(id) {
    await this.#speaker.setSinkId?.(id);
  }

  close() {
    this.#speaker.srcObject = null;
    this.#near.close();
    this.#far.close();
  }

  /** @returns {Promise<void>} */
  #connected() {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("no loopback")), OPEN_WITHIN_MS);
      this.#near.onconnectionstatechange = () => {
        if (this.#near.connectionState !== "connected") return;
        clearTimeout(late);
        resolve();
      };
    });
  }
}

/**
 * Opus for one full-band voice at a rate that is not heard: its default is made for the internet.
 * @param {string} sdp
 */
function spoken(sdp) {
  return sdp.replace(/(a=fmtp:\d+ [^\r\n]*useinbandfec=1)/, "$1;maxaveragebitrate=128000;stereo=0");
}
