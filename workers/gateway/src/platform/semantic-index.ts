import type { NearAnswer, SemanticIndexPort } from "../cache/semantic/ports.ts";
import type { GatewayEnv } from "../env.ts";

/** One object an index. Whatever goes wrong on the way to it, the call goes on without it. */
export function durableSemanticIndex(indexes: GatewayEnv["SEMANTIC_INDEX"]): SemanticIndexPort {
  return {
    find: (index, ask) =>
      without<NearAnswer>("find", { ready: false, candidates: [], unreadable: 0 }, async () => {
        const { ready, candidates, unreadable } = await indexes.getByName(index).find(ask);
        return { ready, candidates, unreadable };
      }),
    add: (index, kept) => without("add", false, async () => await indexes.getByName(index).add(kept)),
    remove: (index, id) => without("remove", false, async () => await indexes.getByName(index).remove(id)),
    used: (index, id) => without("used", undefined, async () => await indexes.getByName(index).used(id)),
  };
}

async function without<T>(what: string, otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    console.error(JSON.stringify({ semanticIndex: `${what} did not reach it`, cause: String(cause) }));
    return otherwise;
  }
}
