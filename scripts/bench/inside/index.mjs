import { env } from "cloudflare:workers";
import { startOrt } from "@ledge/inference/runtime";
import { wire } from "@ledge/inference/wire";

/**
 * The inference Worker, measured from inside: callers are loops in its own isolate, so neither HTTP nor RPC is in the
 * figures. `POST {service, calls, callers, total}` makes `total` calls in so many closed loops; `service` is one of
 *
 * - `batched`: as shipped; `unbatched`: the same with batches of one row
 * - `bare`: `session.run` of ONNX Runtime Web on the feeds of the same calls, joined `rows` at a time
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
  const warm = await service[method](revived(calls[0]));
  if (!warm.ok) throw new Error(JSON.stringify(warm.fault));
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

/** Feeds come made: `{name: {type, dims, data}}`. The session is of the graph as it lies in the bucket. */
async function bareRun({ graph, feeds }) {
  if (!bare.has(graph)) {
    const { ort } = startOrt(config.memoryBytesMax);
    const bytes = new Uint8Array(await (await env.MODEL_BYTES.get(`blobs/${graph}`)).arrayBuffer());
    bare.set(graph, { ort, session: await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] }) });
  }
  const { ort, session } = bare.get(graph);
  const made = {};
  for (const [name, { type, dims, data }] of Object.entries(feeds)) {
    const values = type === "int64" ? BigInt64Array.from(data, BigInt) : Int32Array.from(data);
    made[name] = new ort.Tensor(type, values, dims);
  }
  return () => session.run(made);
}

export default {
  async fetch(request) {
    if (request.method === "GET") return Response.json(await services.batched.report());
    const asked = await request.json();
    const call = asked.service === "bare" ? await bareRun(asked) : await askedOf(services[asked.service], asked.calls);
    await call(0);
    return Response.json(await drive(asked.callers, asked.total, call));
  },
};
