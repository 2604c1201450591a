// @ts-check
import { toPcm16 } from "./pcm.js";
import { Resampler } from "./resampler.js";

/**
 * Opus by the browser's own WebCodecs, for one connection: blocks of PCM16 in, packets of 20 ms
 * out, and packed frames in, frames of PCM16 out. Lives in the socket's worker.
 *
 * Each reply is a stream of its own, as the server makes it: a decoder that knows nothing of the
 * one before cannot play its last milliseconds. The decoder gives 48 kHz whatever it is asked for.
 */

const RATE = 24_000;
const DECODED_RATE = 48_000;
const BLOCK_SAMPLES = 480; // 20 ms
const BLOCK_US = 20_000;

const ENCODING = {
  codec: "opus",
  sampleRate: RATE,
  numberOfChannels: 1,
  bitrate: 32_000,
  opus: { frameDuration: BLOCK_US },
};
const DECODING = { codec: "opus", sampleRate: DECODED_RATE, numberOfChannels: 1 };

/**
 * @typedef {import("../transport/wire.js").Frame} Frame
 * @typedef {import("../transport/wire.js").PackedFrame} PackedFrame
 * @typedef {{packet: (bytes: Uint8Array<ArrayBuffer>) => void, frame: (frame: Frame) => void,
 *            failed: () => void}} Ends
 */

/** Whether this browser has both directions. */
export async function supportsOpus() {
  if (typeof AudioEncoder === "undefined" || typeof AudioDecoder === "undefined") return false;
  const both = [AudioEncoder.isConfigSupported(ENCODING), AudioDecoder.isConfigSupported(DECODING)];
  return (await Promise.all(both)).every(({ supported }) => supported);
}

export class OpusCodec {
  #ends;
  #encoder;
  #decoder;
  #resampler = new Resampler(DECODED_RATE, RATE);
  #encoded = 0; // samples
  #packed = 0; // packets
  /** @type {{samples: number, call: () => void}[]} */
  #later = [];
  #generation = 0;
  /** @type {Map<number, PackedFrame>} those that are being decoded, by their number */
  #waiting = new Map();
  /** Decoding goes on when this is settled: between two replies the decoder is emptied. */
  #turn = Promise.resolve();
  #closed = false;

  /** @param {Ends} ends */
  constructor(ends) {
    this.#ends = ends;
    const error = () => this.#fail();
    this.#encoder = new AudioEncoder({ output: (chunk) => this.#send(chunk), error });
    this.#encoder.configure(ENCODING);
    this.#decoder = new AudioDecoder({ output: (data) => this.#unpacked(data), error });
    this.#decoder.configure(DECODING);
  }

  /** @param {Int16Array<ArrayBuffer>} block the caller's next samples, of any number */
  encode(block) {
    if (this.#closed) return;
    const data = new AudioData({
      format: "s16",
      sampleRate: RATE,
      numberOfChannels: 1,
      numberOfFrames: block.length,
      timestamp: (this.#encoded * 1e6) / RATE,
      data: block,
    });
    this.#encoded += block.length;
    this.#encoder.encode(data);
    data.close();
  }

  /**
   * Call when what was encoded so far is packed, but for a begun packet: the encoder takes its time,
   * and what is said in words must not overtake it.
   * @param {() => void} call
   */
  afterwards(call) {
    this.#later.push({ samples: this.#encoded, call });
    this.#catchUp();
  }

  /** @param {PackedFrame} frame */
  decode(frame) {
    this.#turn = this.#turn.then(() => this.#decode(frame)).catch(() => this.#fail());
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    for (const half of [this.#encoder, this.#decoder]) if (half.state !== "closed") half.close();
  }

  /** @param {PackedFrame} frame */
  async #decode(frame) {
    if (this.#closed) return;
    if (frame.generation !== this.#generation) await this.#begin(frame.generation);
    if (this.#closed) return;
    this.#waiting.set(frame.number, frame);
    const timestamp = frame.number * BLOCK_US;
    this.#decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, data: frame.packet }));
  }

  /** @param {number} generation of the reply that begins */
  async #begin(generation) {
    if (this.#generation !== 0) await this.#decoder.flush();
    if (this.#closed) return;
    this.#generation = generation;
    this.#decoder.reset();
    this.#decoder.configure(DECODING);
    this.#resampler = new Resampler(DECODED_RATE, RATE);
    this.#waiting.clear();
  }

  /** @param {EncodedAudioChunk} chunk */
  #send(chunk) {
    const bytes = new Uint8Array(chunk.byteLength);
    chunk.copyTo(bytes);
    this.#ends.packet(bytes);
    this.#packed += 1;
    this.#catchUp();
  }

  #catchUp() {
    while (this.#later.length > 0 && this.#later[0].samples < (this.#packed + 1) * BLOCK_SAMPLES) {
      this.#later.shift()?.call();
    }
  }

  /** @param {AudioData} data */
  #unpacked(data) {
    const number = Math.round(data.timestamp / BLOCK_US);
    const frame = this.#waiting.get(number);
    const samples = new Float32Array(data.numberOfFrames);
    data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    data.close();
    if (frame === undefined) return;
    this.#waiting.delete(number);
    const pcm = toPcm16(this.#resampler.push(samples));
    this.#ends.frame({ number, generation: frame.generation, last: frame.last, pcm });
  }

  #fail() {
    if (this.#closed) return;
    this.close();
    this.#ends.failed();
  }
}
