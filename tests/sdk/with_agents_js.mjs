// openai-agents (JavaScript) against a running server: `node with_agents_js.mjs URL QUESTION.wav STORY.wav`.
//
// A spoken turn, a barge-in over a long answer, a push-to-talk turn and an error. It prints one JSON line.

import { RealtimeAgent, RealtimeSession } from "@openai/agents/realtime";
import * as microphone from "./microphone.mjs";
import { RATE_HZ, read, silence } from "./microphone.mjs";

const [url, questionPath, storyPath] = process.argv.slice(2);

const agent = new RealtimeAgent({ name: "Antiphon", instructions: "You are a friendly voice assistant." });
const session = new RealtimeSession(agent, { transport: "websocket" });
const counts = { agent_end: 0, audio_interrupted: 0, events: 0, done: 0 };
const said = [];
let sound = 0;
let error;
session.on("audio", (event) => (sound += event.data.byteLength));
session.on("agent_end", (_context, _agent, text) => said.push(text));
session.on("audio_interrupted", () => counts.audio_interrupted++);
session.on("error", (event) => (error = event.error));
session.transport.on("*", (event) => {
  counts.events++;
  if (event.type === "response.done") counts.done++;
});

const until = (holds, what) => microphone.until(holds, what, () => JSON.stringify({ counts, said, error }));
const send = (pcm) => session.sendAudio(new Uint8Array(pcm).buffer);
const speak = (...pieces) => microphone.speak(send, ...pieces);

const question = read(questionPath);
await session.connect({ apiKey: "any", url: `${url.replace("http", "ws")}/v1/realtime` });
await speak(question, silence);
await until(() => said.length >= 1, "an answer");
const before = sound;
await speak(read(storyPath), silence);
await until(() => sound >= before + 3 * RATE_HZ * 2, "sound");
await speak(question, silence);
await until(() => counts.audio_interrupted >= 1, "an interruption");
await until(() => said.filter((text) => text.includes("Paris")).length >= 2, "a second answer");
session.transport.updateSessionConfig({ audio: { input: { turnDetection: null } } });
await speak(question);
session.transport.sendEvent({ type: "input_audio_buffer.commit" });
session.transport.requestResponse();
await until(() => said.filter((text) => text.includes("Paris")).length >= 3, "a third answer");
const unexpected = error;
session.transport.sendEvent({ type: "conversation.item.retrieve", item_id: "item_of_nobody" });
await until(() => error !== unexpected, "an error");
console.log(
  JSON.stringify({
    said,
    heard: session.history
      .filter((item) => item.role === "user")
      .map((item) => item.content.map((part) => part.transcript ?? part.text).join(" ")),
    interrupted: counts.audio_interrupted,
    unexpected,
    error: error.error?.code ?? String(error),
    sound_s: sound / 2 / RATE_HZ,
    events: counts.events,
  }),
);
session.close();
process.exit(0);
