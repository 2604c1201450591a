// @ts-check
/**
 * What was said on both sides, kept in this page alone, to be saved as a stereo WAV: the caller
 * left, the assistant right, on one clock.
 *
 * Bound: the last 20 minutes, 115 MB at 24 kHz. Pieces of ten seconds become Blobs, which browsers
 * may keep on disk.
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
  /** @type {Int16Array<ArrayBuffer>[]} the piece that is being filled */
  #blocks = [];
  #filled = 0; // bytes in #blocks

  /** @param {number} rate in Hz */
  constructor(rate) {
    this.#rate = rate;
  }

  /** How long it is. */
  get seconds() {
    const bytes = this.#pieces.reduce((sum, piece) => sum + piece.size, this.#filled);
    return bytes / FRAME_BYTES / this.#rate;
  }

  /** @param {Int16Array<ArrayBuffer>} block interleaved, what comes next */
  add(block) {
    this.#blocks.push(block);
    this.#filled += block.byteLength;
    if (this.#filled < PIECE_S * this.#rate * FRAME_BYTES) return;
    this.#pieces.push(new Blob(this.#blocks));
    this.#blocks = [];
    this.#filled = 0;
    if (this.#pieces.length > Recording.LIMIT_S / PIECE_S) this.#pieces.shift();
  }

  /** The file. */
  wav() {
    const sound = new Blob([...this.#pieces, ...this.#blocks]);
    return new Blob([header(this.#rate, sound.size), sound], { type: "audio/wav" });
  }
}

/**
 * @param {number} rate in Hz
 * @param {number} bytes of sound
 */
function header(rate, bytes) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const text = (/** @type {number} */ at, /** @type {string} */ letters) =>
    [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // bytes of the format
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, CHANNELS, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * FRAME_BYTES, true);
  view.setUint16(32, FRAME_BYTES, true);
  view.setUint16(34, 16, true); // bits a sample
  text(36, "data");
  view.setUint32(40, bytes, true);
  return view;
}
