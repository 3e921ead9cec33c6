import type { InferAnswer, InferCall, InferenceService, PackageRef, PredictCall, Result } from "@ledge/contract";
import { fromJson, type TensorsJson, toJson } from "./inference-tensors.ts";

/**
 * Stands where the gateway stands: a Worker with the inference Worker on a service binding. `POST /<binding>/<method>` with
 * a list of calls makes them all at once and answers with all results; methods without arguments take no body.
 * `PUT /store/<key>` and `DELETE` write the bucket of model packages, `PUT /snapshots/<key>` the registry's namespace.
 */
interface Store {
  put(key: string, value: ArrayBuffer): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}
type Service = InferenceService & { readonly fetch: typeof fetch };
type Env = Readonly<Record<string, Service>> & { readonly store: Store; readonly snapshots: Store };

export type InferCallJson = Omit<InferCall, "inputs"> & { readonly inputs: TensorsJson };

type Method = (service: InferenceService, calls: readonly never[]) => Promise<unknown>;

const methods: Readonly<Record<string, Method>> = {
  predict: (service, calls: readonly PredictCall[]) => Promise.all(calls.map((call) => service.predict(call))),
  infer: (service, calls: readonly InferCallJson[]) => Promise.all(calls.map((call) => infer(service, call))),
  load: (service, calls: readonly PackageRef[]) => Promise.all(calls.map((call) => service.load(call))),
  unload: (service, calls: readonly PackageRef[]) => Promise.all(calls.map((call) => service.unload(call))),
  warm: (service) => service.warm(),
  report: (service) => service.report(),
  /** The calls one after the other: what a lone caller sees. */
  serially: async (service, calls: readonly PredictCall[]) => {
    const answers = [];
    for (const call of calls) answers.push(await service.predict(call));
    return answers;
  },
  /** Calls of different methods, all at once. */
  mixed: (service, calls: readonly { readonly method: string; readonly call: never }[]) =>
    Promise.all(calls.map(({ method, call }) => one(service, method, call))),
};

async function one(service: InferenceService, method: string, call: never): Promise<unknown> {
  const answers = (await methods[method]?.(service, [call])) as unknown[] | undefined;
  return answers?.[0];
}

async function infer(service: InferenceService, call: InferCallJson) {
  const answer: Result<InferAnswer> = await service.infer({ ...call, inputs: fromJson(call.inputs) });
  return answer.ok ? { ok: true, value: { ...answer.value, outputs: toJson(answer.value.outputs) } } : answer;
}

/**
 * Goes away from the first call after so many milliseconds, and answers with the results of the others.
 * Dropping the promise is what cancels: locally, a client that closes its connection does not reach the other Worker.
 */
async function abandon(service: InferenceService, calls: readonly PredictCall[], ms: number): Promise<Response> {
  const [first, ...mates] = calls.map((call) => service.predict(call));
  first?.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, ms));
  (first as unknown as Disposable | undefined)?.[Symbol.dispose]();
  return Response.json(await Promise.all(mates));
}

async function write(store: Store, key: string, request: Request): Promise<Response> {
  if (request.method === "DELETE") await store.delete(key);
  else await store.put(key, await request.arrayBuffer());
  return new Response(null, { status: 204 });
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams: search } = new URL(request.url);
    const [, binding = "", method = "", ...rest] = pathname.split("/");
    if (binding === "store" || binding === "snapshots")
      return write(env[binding], [method, ...rest].join("/"), request);
    const service = env[binding];
    if (service === undefined) return new Response(null, { status: 404 });
    const calls = request.method === "POST" ? ((await request.json()) as never[]) : [];
    if (method === "abandon") return abandon(service, calls, Number(search.get("ms")));
    const call = methods[method];
    if (call === undefined) return service.fetch(`http://inference/${method}`);
    return Response.json(await call(service, calls));
  },
};
