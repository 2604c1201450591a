// @ts-check
import { toPcm16 } from "./pcm.js";
import { Resampler } from "./resampler.js";

/**
 * Opus for one connection, by the browser's WebCodecs, in the socket's worker. It encodes PCM16
 * blocks into packets of 20 ms, and decodes Opus frames into PCM16 frames.
 *
 * Each reply is a stream of its own, as on the server. So no decoder state carries the end of one
 * reply into the next. The decoder returns 48 kHz whatever rate it is configured for.
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
 * @typedef {import("../transport/wire.js").OpusFrame} OpusFrame
 * @typedef {{packet: (bytes: Uint8Array<ArrayBuffer>) => void, frame: (frame: Frame) => void,
 *            failed: () => void}} Callbacks
 */

/** Whether this browser can both encode and decode it. */
export async function supportsOpus() {
  if (typeof AudioEncoder === "undefined" || typeof AudioDecoder === "undefined") return false;
  const both = [AudioEncoder.isConfigSupported(ENCODING), AudioDecoder.isConfigSupported(DECODING)];
  return (await Promise.all(both)).every(({ supported }) => supported);
}

export class OpusCodec {
  #callbacks;
  #encoder;
  #decoder;
  #resampler = new Resampler(DECODED_RATE, RATE);
  #encoded = 0; // samples
  #packets = 0; // that the encoder has returned
  /** @type {{samples: number, act: () => void}[]} */
  #pending = [];
  #generation = 0;
  /** @type {Map<number, OpusFrame>} the frames in the decoder, by number */
  #inDecoder = new Map();
  /** Frames are decoded one after another; between two replies the decoder is flushed. */
  #decoding = Promise.resolve();
  #closed = false;

  /** @param {Callbacks} callbacks */
  constructor(callbacks) {
    this.#callbacks = callbacks;
    const error = () => this.#fail();
    this.#encoder = new AudioEncoder({ output: (chunk) => this.#encodedPacket(chunk), error });
    this.#encoder.configure(ENCODING);
    this.#decoder = new AudioDecoder({ output: (data) => this.#decoded(data), error });
    this.#decoder.configure(DECODING);
  }

  /** @param {Int16Array<ArrayBuffer>} block the caller's next samples, any number of them */
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
   * Run `act` once all audio so far is encoded, apart from an incomplete packet. The encoder is
   * asynchronous, and a control message must not overtake the audio before it.
   * @param {() => void} act
   */
  afterEncoding(act) {
    this.#pending.push({ samples: this.#encoded, act });
    this.#runPending();
  }

  /** @param {OpusFrame} frame */
  decode(frame) {
    this.#decoding = this.#decoding.then(() => this.#decode(frame)).catch(() => this.#fail());
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    for (const coder of [this.#encoder, this.#decoder]) {
      if (coder.state !== "closed") coder.close();
    }
  }

  /** @param {OpusFrame} frame */
  async #decode(frame) {
    if (this.#closed) return;
    if (frame.generation !== this.#generation) await this.#begin(frame.generation);
    if (this.#closed) return;
    this.#inDecoder.set(frame.number, frame);
    const timestamp = frame.number * BLOCK_US;
    this.#decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, data: frame.packet }));
  }

  /** @param {number} generation the reply that begins */
  async #begin(generation) {
    if (this.#generation !== 0) await this.#decoder.flush();
    if (this.#closed) return;
    this.#generation = generation;
    this.#decoder.reset();
    this.#decoder.configure(DECODING);
    this.#resampler = new Resampler(DECODED_RATE, RATE);
    this.#inDecoder.clear();
  }

  /** @param {EncodedAudioChunk} chunk */
  #encodedPacket(chunk) {
    const bytes = new Uint8Array(chunk.byteLength);
    chunk.copyTo(bytes);
    this.#callbacks.packet(bytes);
    this.#packets += 1;
    this.#runPending();
  }

  #runPending() {
    const encoded = (this.#packets + 1) * BLOCK_SAMPLES; // the last packet may be incomplete
    while (this.#pending.length > 0 && this.#pending[0].samples < encoded) {
      this.#pending.shift()?.act();
    }
  }

  /** @param {AudioData} data */
  #decoded(data) {
    const number = Math.round(data.timestamp / BLOCK_US);
    const frame = this.#inDecoder.get(number);
    const samples = new Float32Array(data.numberOfFrames);
    data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    data.close();
    if (frame === undefined) return;
    this.#inDecoder.delete(number);
    const pcm = toPcm16(this.#resampler.push(samples));
    this.#callbacks.frame({ number, generation: frame.generation, last: frame.last, pcm });
  }

  #fail() {
    if (this.#closed) return;
    this.close();
    this.#callbacks.failed();
  }
}
