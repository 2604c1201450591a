// @ts-check
/** Converts samples between PCM16 on the wire and the browser's floats, and measures their peak. */

/**
 * @param {Float32Array} samples full scale is 1; larger values are clipped.
 * @returns {Int16Array<ArrayBuffer>}
 */
export function toPcm16(samples) {
  const pcm = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    pcm[i] = Math.max(-32_768, Math.min(32_767, Math.round(samples[i] * 32_768)));
  }
  return pcm;
}

/**
 * @param {Int16Array} pcm
 * @returns {Float32Array<ArrayBuffer>} full scale is 1.
 */
export function fromPcm16(pcm) {
  const samples = new Float32Array(pcm.length);
  for (let i = 0; i < pcm.length; i++) samples[i] = pcm[i] / 32_768;
  return samples;
}

/**
 * The largest magnitude; 0 without samples.
 * @param {Float32Array} samples
 */
export function peak(samples) {
  let largest = 0;
  for (const sample of samples) largest = Math.max(largest, Math.abs(sample));
  return largest;
}
