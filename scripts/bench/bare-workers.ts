/** Sources of the Workers that ours are measured against or through. */

/** (a): reads the body and answers a constant. The constant is what was PUT, so that it is as long as our answer. */
export const constantWorker = `
let answer = "";
const init = { headers: { "Content-Type": "application/json" } };
export default {
  async fetch(request) {
    const body = await request.text();
    if (request.method === "PUT") answer = body;
    return new Response(answer, init);
  },
};`;

/** (c): passes everything on to the origin and its answer back, and looks at nothing. */
export const proxyWorker = `
export default {
  fetch(request, env) {
    return fetch(env.ORIGIN_URL + new URL(request.url).pathname, {
      method: request.method,
      headers: request.headers,
      body: request.body,
    });
  },
};`;

/**
 * Calls the inference Worker's RPC and answers what it says: classification without the gateway. The path names the method;
 * without one it is `predict`.
 */
export const callerWorker = `
export default {
  async fetch(request, env) {
    if (request.method === "GET") return Response.json(await env.INFERENCE.report());
    const method = new URL(request.url).pathname.slice(1) || "predict";
    const answer = await env.INFERENCE[method](await request.json());
    return Response.json(answer, { status: answer.ok ? 200 : 500 });
  },
};`;

/**
 * Calls a Durable Object as a flight is joined, and nothing else. The path says how far: `call` asks the object once; `turn` is
 * given a stub, and calls that too; `none` asks nobody.
 */
export const roomWorker = `
import { DurableObject, RpcTarget } from "cloudflare:workers";
class Turn extends RpcTarget {
  land() {}
}
export class Room extends DurableObject {
  call(number) { return { number }; }
  turn(number) { return { number, turn: new Turn() }; }
}
let next = 0;
export default {
  async fetch(request, env) {
    await request.text();
    const method = new URL(request.url).pathname.split("/").at(-1);
    if (method !== "none") {
      const told = await env.ROOMS.getByName("room-" + (next++ % 128))[method](next);
      await told.turn?.land({ ok: true });
    }
    return new Response("{}");
  },
};`;

/** In the inference Worker's place where it is not wanted. */
export const absentInference = `
import { WorkerEntrypoint } from "cloudflare:workers";
const fault = { ok: false, fault: { code: "model_not_ready" } };
const answer = {
  ok: true,
  value: {
    predictions: [{ label: "transfer", score: 1, top: [{ label: "transfer", score: 1 }] }],
    inputTokens: 1,
    timings: { queueMs: 0, runMs: 0 },
  },
};
export default class extends WorkerEntrypoint {
  predict() { return answer; }
  warm() { return fault; }
  report() { return { models: [], wasmHeapBytes: 0, queued: 0 }; }
}`;
