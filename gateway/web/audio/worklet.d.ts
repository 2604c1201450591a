/** The globals of an AudioWorkletGlobalScope, which TypeScript's DOM types lack. */

declare const currentTime: number; // of the current block, in seconds
declare const sampleRate: number; // in Hz

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
