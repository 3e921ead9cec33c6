import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Stands in for the origin, or for an engine behind it, as a process of its own: answers every POST with one fixed chat completion,
 * whole or as server-sent events, with no work in between. What the others cost is what is left. An argument is how long it takes for
 * each piece of text, milliseconds, as an engine does that has room for everybody.
 */

const pieceMs = Number(process.argv[2] ?? 0);

const chunks = 20;
const envelope = { id: "chatcmpl-bench", created: 1_700_000_000, model: "tiny-chat" };
const text = "The quick brown fox jumps over the lazy dog and then it does so again for us both, quite at ease.";
const words = text.split(" ").slice(0, chunks);

const whole = Buffer.from(
  JSON.stringify({
    ...envelope,
    object: "chat.completion",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: words.join(" "), refusal: null },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: { prompt_tokens: 12, completion_tokens: chunks, total_tokens: 12 + chunks },
  }),
);

function event(delta: object, finishReason: string | null): Buffer {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finishReason }];
  return Buffer.from(`data: ${JSON.stringify({ ...envelope, object: "chat.completion.chunk", choices })}\n\n`);
}

const events = [
  ...words.map((word) => event({ content: `${word} ` }, null)),
  event({}, "stop"),
  Buffer.from("data: [DONE]\n\n"),
];

const server = createServer((request, response) => {
  let stream = false;
  request.on("data", (data: Buffer) => {
    stream ||= data.includes('"stream":true');
  });
  request.on("end", () => {
    if (!stream) {
      const answer = () => {
        response.writeHead(200, { "Content-Type": "application/json", "Content-Length": whole.length });
        response.end(whole);
      };
      if (pieceMs === 0) answer();
      else setTimeout(answer, pieceMs * words.length);
      return;
    }
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
    let at = 0;
    // One event a turn of the event loop: each is a write of its own, as an engine's tokens are.
    const next = () => {
      response.write(events[at++]);
      if (at === events.length) response.end();
      else if (pieceMs === 0) setImmediate(next);
      else setTimeout(next, pieceMs);
    };
    next();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit(0));
