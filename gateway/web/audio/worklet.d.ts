/** What an AudioWorkletGlobalScope has; the DOM's own types leave it out. */

declare const currentTime: number; // seconds, of the block being rendered
declare const sampleRate: number; // Hz

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
