// What the proofs in JavaScript share: a microphone, and waiting.

import { readFileSync } from "node:fs";

export const RATE_HZ = 24_000;
const PIECE = (RATE_HZ / 25) * 2; // 40 ms
const WITHIN_MS = 60_000;

/** The samples of a recording at 24 kHz, whose header has 44 bytes. */
export const read = (path) => readFileSync(path).subarray(44);
export const silence = Buffer.alloc(RATE_HZ * 2);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Wait until a condition holds; `got` describes what there is instead. */
export async function until(holds, what, got) {
  for (const from = Date.now(); !holds(); await sleep(10))
    if (Date.now() - from > WITHIN_MS) throw new Error(`Expected ${what}, got ${got()}`);
}

/** Send sound as a microphone does. */
export async function speak(send, ...pieces) {
  const pcm = Buffer.concat(pieces);
  for (let at = 0; at < pcm.length; at += PIECE) {
    send(pcm.subarray(at, at + PIECE));
    await sleep(40);
  }
}
