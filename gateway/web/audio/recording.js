// @ts-check
/**
 * The call's recording, kept only in this page until the person downloads it. It is a stereo WAV on
 * one clock, with the caller on the left and the assistant on the right.
 *
 * It keeps the last 20 minutes, 115 MB at 24 kHz. Pieces of ten seconds become Blobs, because
 * browsers may keep those on disk.
 */

const HEADER_BYTES = 44;
const CHANNELS = 2;
const FRAME_BYTES = 2 * CHANNELS;
const PIECE_S = 10;

export class Recording {
  static LIMIT_S = 20 * 60;

  #rate;
  /** @type {Blob[]} */
  #pieces = [];
  /** @type {Int16Array<ArrayBuffer>[]} the piece in progress */
  #blocks = [];
  #filled = 0; // bytes in #blocks

  /** @param {number} rate in Hz */
  constructor(rate) {
    this.#rate = rate;
  }

  get seconds() {
    const bytes = this.#pieces.reduce((sum, piece) => sum + piece.size, this.#filled);
    return bytes / FRAME_BYTES / this.#rate;
  }

  /** @param {Int16Array<ArrayBuffer>} block the next samples, interleaved */
  add(block) {
    this.#blocks.push(block);
    this.#filled += block.byteLength;
    if (this.#filled < PIECE_S * this.#rate * FRAME_BYTES) return;
    this.#pieces.push(new Blob(this.#blocks));
    this.#blocks = [];
    this.#filled = 0;
    if (this.#pieces.length > Recording.LIMIT_S / PIECE_S) this.#pieces.shift();
  }

  wav() {
    const audio = new Blob([...this.#pieces, ...this.#blocks]);
    return new Blob([header(this.#rate, audio.size), audio], { type: "audio/wav" });
  }
}

/**
 * @param {number} rate in Hz
 * @param {number} bytes of audio
 */
function header(rate, bytes) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const text = (/** @type {number} */ at, /** @type {string} */ letters) =>
    [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // size of the format chunk
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, CHANNELS, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * FRAME_BYTES, true);
  view.setUint16(32, FRAME_BYTES, true);
  view.setUint16(34, 16, true); // bits per sample
  text(36, "data");
  view.setUint32(40, bytes, true);
  return view;
}
