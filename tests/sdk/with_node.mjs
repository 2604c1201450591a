// openai-node against a running server: `node with_node.mjs URL QUESTION.wav STORY.wav`.
//
// A spoken turn, a barge-in over a long answer, a push-to-talk turn and an error. It prints one JSON line.

import net from "node:net";
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import * as microphone from "./microphone.mjs";
import { RATE_HZ, read, silence } from "./microphone.mjs";

const [url, questionPath, storyPath] = process.argv.slice(2);

const { hostname, port } = new URL(url);
const client = new OpenAI({ apiKey: "any", baseURL: `${url}/v1` });
const options = { createConnection: () => net.connect(Number(port), hostname) }; // without TLS
const rt = new OpenAIRealtimeWS({ model: "gpt-realtime", options }, client);
const events = [];
let sound = 0;
rt.on("error", () => {}); // it comes as an event too
rt.on("event", (event) => {
  events.push(event);
  if (event.type === "response.output_audio.delta") sound += Buffer.from(event.delta, "base64").length;
});
const got = (type) => events.filter((event) => event.type === type);

const until = (holds, what) => microphone.until(holds, what, () => events.at(-1)?.type);
const event = async (type, count = 1) => {
  await until(() => got(type).length >= count, type);
  return got(type)[count - 1];
};

const send = (pcm) => rt.send({ type: "input_audio_buffer.append", audio: pcm.toString("base64") });
const speak = (...pieces) => microphone.speak(send, ...pieces);
const words = (done) => done.response.output.flatMap((item) => item.content.map((part) => part.transcript)).join(" ");

const question = read(questionPath);
await event("session.created");
await speak(question, silence);
const spoken = await event("response.done");
const before = sound;
await speak(read(storyPath), silence);
await until(() => sound >= before + 3 * RATE_HZ * 2, "sound");
await speak(question, silence);
const barged = await event("response.done", 3);
rt.send({ type: "session.update", session: { type: "realtime", audio: { input: { turn_detection: null } } } });
await speak(question);
rt.send({ type: "input_audio_buffer.commit" });
const done = got("response.done").length;
rt.send({ type: "response.create" });
const pushed = await event("response.done", done + 1);
rt.send({ type: "response.cancel" });
const error = await event("error");
console.log(
  JSON.stringify({
    spoken: words(spoken),
    barged: words(barged),
    pushed: words(pushed),
    heard: got("conversation.item.input_audio_transcription.completed").map((e) => e.transcript),
    statuses: got("response.done").map((e) => e.response.status),
    error: error.error.code,
    sound_s: sound / 2 / RATE_HZ,
    events: events.length,
  }),
);
rt.close();
process.exit(0);
