import { env } from "cloudflare:workers";
import { startOrt, startRuntime } from "@ledge/inference/runtime";
import { wire } from "@ledge/inference/wire";
import { createServable } from "@ledge/pipeline";
import labels from "../../../models/intent/1/labels.json";
import manifest from "../../../models/intent/1/model.json";
import graph from "../../../models/intent/1/model.onnx";

/**
 * The inference Worker, measured from inside: callers are loops in its own isolate, so neither HTTP nor RPC is in the
 * figures. `POST {service, calls, callers, total}` makes `total` calls in so many closed loops; `service` is one of
 *
 * - `batched`: as shipped; `unbatched`: the same with batches of one row
 * - `direct`: the steps of `intent` around its graph, without a queue
 * - `prepare`: the first of those steps alone
 * - `fresh`: as shipped, but nothing is loaded yet: the first answer, and the one after it
 * - `bare`: `session.run` of ONNX Runtime Web on feeds that come made, in turns
 *
 * A request runs nothing but its calls, since its CPU time is divided by their number.
 */

const config = { waitingRowsMax: 100_000, batchRowsMax: 32, memoryBytesMax: 96 * 2 ** 20 };
const services = {
  batched: wire(env, { ok: true, value: config }).value,
  unbatched: wire(env, { ok: true, value: { ...config, batchRowsMax: 1 } }).value,
};

/** Latencies of calls made in closed loops, milliseconds. */
async function drive(callers, total, call) {
  let next = 0;
  const latenciesMs = [];
  async function loop() {
    while (next < total) {
      const index = next++;
      const fromMs = performance.now();
      await call(index);
      latenciesMs.push(performance.now() - fromMs);
    }
  }
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: callers }, loop));
  return { ms: performance.now() - startedMs, latenciesMs };
}

async function askedOf(service, calls) {
  const method = Array.isArray(calls[0].inputs) ? "predict" : "infer";
  const all = calls.map(revived);
  return async (index) => {
    const answer = await service[method](all[index % all.length]);
    if (!answer.ok) throw new Error(JSON.stringify(answer.fault));
  };
}

/** 64-bit integers come as texts. */
function revived(call) {
  if (Array.isArray(call.inputs)) return call;
  const entries = Object.entries(call.inputs).map(([name, tensor]) => [
    name,
    { ...tensor, data: BigInt64Array.from(tensor.data, BigInt) },
  ]);
  return { ...call, inputs: Object.fromEntries(entries) };
}

const bare = new Map();

/** Feeds come as `{name: {type, dims, data}}`. The session is of the graph as it lies in the bucket. */
async function bareRun({ graph: sha256, feeds }) {
  if (!bare.has(sha256)) {
    const { ort } = startOrt(config.memoryBytesMax);
    const bytes = new Uint8Array(await (await env.MODEL_BYTES.get(`blobs/${sha256}`)).arrayBuffer());
    bare.set(sha256, { ort, session: await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] }) });
  }
  const { ort, session } = bare.get(sha256);
  const all = feeds.map((tensors) => {
    const made = {};
    for (const [name, { type, dims, data }] of Object.entries(tensors)) {
      const values = type === "int64" ? BigInt64Array.from(data, BigInt) : Int32Array.from(data);
      made[name] = new ort.Tensor(type, values, dims);
    }
    return made;
  });
  return (index) => session.run(all[index % all.length]);
}

let intent;

async function openIntent() {
  if (intent !== undefined) return;
  const session = await startRuntime(config.memoryBytesMax).open(new Uint8Array(graph), new Map());
  const files = new Map([["labels.json", new TextEncoder().encode(JSON.stringify(labels))]]);
  intent = createServable({ manifest, files, run: session.run }).value;
}

/** Features hashed, and nothing else. */
async function prepare(calls) {
  await openIntent();
  return async (index) => calls[index % calls.length].inputs.map((input) => intent.prepare(input).value);
}

/** Prepare, run, shape: what a call costs when nobody could wait for it. */
async function direct(calls) {
  await openIntent();
  return async (index) => {
    const { inputs, topK, logits } = calls[index % calls.length];
    const rows = inputs.map((input) => intent.prepare(input).value);
    return (await intent.run(rows)).value.map((row) => intent.shape(row, { topK, logits }));
  };
}

/** Milliseconds of the first answers of a service that has nothing loaded, or has been told to load first. */
async function fresh({ calls: [call], loads }) {
  const service = wire(env, { ok: true, value: config }).value;
  if (loads) await service.load(call);
  const ask = () => (Array.isArray(call.inputs) ? service.predict(call) : service.infer(revived(call)));
  const startedMs = performance.now();
  const answer = await ask();
  if (!answer.ok) throw new Error(JSON.stringify(answer.fault));
  const ms = performance.now() - startedMs;
  await service.unload(call);
  return { ms };
}

const made = {
  bare: bareRun,
  direct: ({ calls }) => direct(calls),
  prepare: ({ calls }) => prepare(calls),
  batched: ({ calls }) => askedOf(services.batched, calls),
  unbatched: ({ calls }) => askedOf(services.unbatched, calls),
};

export default {
  async fetch(request) {
    if (request.method === "GET") return Response.json(await services.batched.report());
    const asked = await request.json();
    if (asked.service === "fresh") return Response.json(await fresh(asked));
    const call = await made[asked.service](asked);
    return Response.json(await drive(asked.callers, asked.total, call));
  },
};
