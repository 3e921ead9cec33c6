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

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, binding = "", method = ""] = new URL(request.url).pathname.split("/");
    const service = env[binding];
    if (service === undefined) return new Response(null, { status: 404 });
    const call = methods[method];
    if (call === undefined) return service.fetch(`http://inference/${method}`);
    const calls = request.method === "POST" ? ((await request.json()) as PredictCall[]) : [];
    return Response.json(await call(service, calls));
  },
};
