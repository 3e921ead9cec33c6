import type { OperatorEnv } from "./env.ts";
import { operatorRoutes, presentFault } from "./operator-routes.ts";
import { runtimeOf } from "./operator-wire.ts";
import { serve } from "./serve.ts";

/**
 * The operator Worker: everything that is not on the hot path, and the Durable Objects that it changes or reads. Only the
 * gateway reaches it (docs/decisions/0009-operator-worker.md).
 */

export { Blocks } from "./platform/durable/blocks.ts";
export { CacheKeeper } from "./platform/durable/cache-keeper.ts";
export { Directory } from "./platform/durable/directory.ts";
export { HotList } from "./platform/durable/hot-list.ts";
export { Ledger } from "./platform/durable/ledger.ts";
export { LedgerList } from "./platform/durable/ledger-list.ts";
export { Offender } from "./platform/durable/offender.ts";
export { Registry } from "./platform/durable/registry.ts";
export { Tally } from "./platform/durable/tally.ts";

const fetch = serve({ routes: operatorRoutes, runtimeOf, presentFault });

export default { fetch } satisfies ExportedHandler<OperatorEnv>;
