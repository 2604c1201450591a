// @ts-check
/// <reference path="./audio/worklet.d.ts" />
"use strict";
/**
 * The smallest client of /ws/stream: binary PCM16 little-endian mono 24 kHz up and down, no JSON.
 * For resuming, interruption and events ask for the subprotocol `antiphon.v1`, as main.js does.
 *
 * Where it may run: on the server's own pages as it is; elsewhere (also from a file, whose origin
 * is `null`) when GATEWAY_ORIGINS names that origin. Firefox cannot open a microphone at 24 kHz
 * and needs audio/resampler.js.
 */

const RATE = 24_000;
const PREBUFFER_S = 0.1; // the server sends at most 60 ms ahead

/** Runs in the audio thread: the microphone -> PCM16, 20 ms a message. */
function microphone() {
  class Microphone extends AudioWorkletProcessor {
    pcm = new Int16Array(480);
    filled = 0;
    /** @param {Float32Array[][]} inputs */
    process([[samples = new Float32Array(0)]]) {
      for (const sample of samples) {
        this.pcm[this.filled++] = Math.max(-1, Math.min(1, sample)) * 32_767;
        if (this.filled < this.pcm.length) continue;
        this.port.postMessage(this.pcm.slice().buffer);
        this.filled = 0;
      }
      return true;
    }
  }
  registerProcessor("microphone", Microphone);
}

/**
 * @param {AudioContext} context
 * @param {WebSocket} socket
 */
async function sendMicrophone(context, socket) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
  // A page that forbids inline code loads this file as the worklet; one opened from a file cannot.
  const inline = `data:text/javascript,${encodeURIComponent(`(${microphone})()`)}`;
  await context.audioWorklet.addModule(location.protocol === "file:" ? inline : "example.js");
  const node = new AudioWorkletNode(context, "microphone", { channelCount: 1 });
  node.port.onmessage = ({ data }) => socket.readyState === WebSocket.OPEN && socket.send(data);
  context.createMediaStreamSource(stream).connect(node);
  socket.addEventListener("close", () => stream.getTracks().forEach((track) => track.stop()));
}

/**
 * Play the frames one after the other.
 * @param {AudioContext} context
 * @param {WebSocket} socket
 */
function playFrames(context, socket) {
  let next = 0; // seconds of the context's clock
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") return show(JSON.parse(data).message); // why it closes
    const pcm = new Int16Array(data);
    const buffer = context.createBuffer(1, pcm.length, RATE);
    buffer.copyToChannel(Float32Array.from(pcm, (value) => value / 32_768), 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(context.destination);
    if (next < context.currentTime) next = context.currentTime + PREBUFFER_S;
    source.start(next);
    next += buffer.duration;
  };
}

/** Runs inside the click: an AudioContext made later stays silent on iOS. */
function talk() {
  const context = new AudioContext({ sampleRate: RATE });
  const server = /** @type {HTMLInputElement} */ (document.querySelector("#server"));
  const button = /** @type {HTMLButtonElement} */ (document.querySelector("#talk"));
  const socket = new WebSocket(server.value);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    show("Speak");
    sendMicrophone(context, socket).catch((error) => (show(String(error)), socket.close()));
  };
  socket.onclose = ({ code, wasClean }) => {
    if (!wasClean) show(`The server did not answer, or refused this page (${code})`);
    button.textContent = "Talk";
    button.onclick = talk;
    context.close();
  };
  playFrames(context, socket);
  button.textContent = "Stop";
  button.onclick = () => (show("Not connected"), socket.close(1000));
}

/** @param {string} text */
function show(text) {
  /** @type {HTMLElement} */ (document.querySelector("#state")).textContent = text;
}

if ("registerProcessor" in globalThis) {
  microphone(); // this file, loaded as the worklet
} else {
  if (location.protocol.startsWith("http")) {
    const server = /** @type {HTMLInputElement} */ (document.querySelector("#server"));
    server.value = `${location.protocol.replace("http", "ws")}//${location.host}/ws/stream`;
  }
  /** @type {HTMLButtonElement} */ (document.querySelector("#talk")).onclick = talk;
}
