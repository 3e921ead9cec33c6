import type { OriginContext } from "../request.ts";

/** `GET /v1/load`: of every model the calls at its door, and what the server behind says of its own load, where it does. */
export async function answerLoad(context: OriginContext): Promise<Response> {
  const { registry, nowMs } = context.get("stage");
  const models = registry.seats().map(async ({ engine, gate, watch }) => {
    const { name, version, task } = engine.model;
    const seen = await watch?.load();
    return {
      model: name,
      version,
      task,
      running: gate.running,
      waiting: gate.waiting,
      ...(seen === undefined
        ? {}
        : {
            engine: {
              running: seen.running,
              waiting: seen.waiting,
              ...(seen.kvCacheUse === undefined ? {} : { kv_cache_use: seen.kvCacheUse }),
              age_ms: Math.round(nowMs() - seen.atMs),
            },
          }),
    };
  });
  return context.json({ models: await Promise.all(models) });
}
