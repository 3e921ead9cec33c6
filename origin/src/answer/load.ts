import type { HistogramFigures } from "../batch/histogram.ts";
import { loadOf } from "../engines/registry.ts";
import { type Answer, jsonAnswer, type OriginCall } from "../request.ts";

/**
 * `GET /v1/load`: of every model the calls at its door; what the runs were like that calls share; and what the server behind says of its
 * own load, where it does.
 */
export async function answerLoad({ stage }: OriginCall): Promise<Answer> {
  const { registry, nowMs } = stage;
  const models = registry.seats().map(async (seat) => {
    const { name, version, task } = seat.engine.model;
    const seen = await seat.watch?.load();
    const figures = seat.batcher?.figures;
    return {
      model: name,
      version,
      task,
      ...loadOf(seat),
      ...(figures === undefined
        ? {}
        : {
            batching: {
              batch_rows: countsOf(figures.rows),
              queue_seconds: countsOf(figures.queueS),
              refused: figures.refused,
            },
          }),
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
  return jsonAnswer({ models: await Promise.all(models) });
}

/** How many were observed up to each bound and above the one before it, of those that had any. */
function countsOf({ bounds, counts }: HistogramFigures): Record<string, number> {
  const named = counts.map((count, at) => [at < bounds.length ? `${bounds[at]}` : "more", count] as const);
  return Object.fromEntries(named.filter(([, count]) => count > 0));
}
