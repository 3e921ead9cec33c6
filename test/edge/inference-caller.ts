import type { InferenceService, PredictCall } from "@ledge/contract";

/**
 * Stands where the gateway stands: a Worker with the inference Worker on a service binding. `POST /<binding>/<method>` with
 * a list of calls makes them all at once and answers with all results; methods without arguments take no body.
 */
type Env = Readonly<Record<string, InferenceService & { readonly fetch: typeof fetch }>>;

const methods: Readonly<
  Record<string, (service: InferenceService, calls: readonly PredictCall[]) => Promise<unknown>>
> = {
  predict: (service, calls) => Promise.all(calls.map((call) => service.predict(call))),
  warm: (service) => service.warm(),
  report: (service) => service.report(),
  /** The calls one after the other: what a lone caller sees. */
  serially: async (service, calls) => {
    const answers = [];
    for (const call of calls) answers.push(await service.predict(call));
    return answers;
  },
};

/**
 * Makes calls in so many closed loops, `total` in all, and answers with the milliseconds that took. Without calls it asks
 * for the report instead, which costs nothing but the RPC.
 */
async function load(service: InferenceService, calls: readonly PredictCall[], loops: number, total: number) {
  let next = 0;
  const startMs = performance.now();
  async function loop() {
    while (next < total) {
      const call = calls[next++ % calls.length];
      if (call === undefined) await service.report();
      else if (!(await service.predict(call)).ok) throw new Error("A call was refused.");
    }
  }
  await Promise.all(Array.from({ length: loops }, loop));
  return Response.json({ ms: performance.now() - startMs });
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

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams: search } = new URL(request.url);
    const [, binding = "", method = ""] = pathname.split("/");
    const service = env[binding];
    if (service === undefined) return new Response(null, { status: 404 });
    const calls = request.method === "POST" ? ((await request.json()) as PredictCall[]) : [];
    if (method === "abandon") return abandon(service, calls, Number(search.get("ms")));
    if (method === "load") return load(service, calls, Number(search.get("loops")), Number(search.get("total")));
    const call = methods[method];
    if (call === undefined) return service.fetch(`http://inference/${method}`);
    return Response.json(await call(service, calls));
  },
};
