import { workers } from "../edge/build.ts";
import { errorsPage } from "./errors-page.ts";
import type { Generated } from "./generated.ts";
import { lockfile } from "./lockfile.ts";
import { blocksOpenApi, cacheOpenApi, inferenceOpenApi, openApi, operatorOpenApi } from "./openapi.ts";
import { workerTypes } from "./worker-types.ts";

/** Everything that is generated. Each throws when it cannot do its work; none writes into the repository. */
export const generators: readonly (() => Promise<Generated>)[] = [
  async () => errorsPage(),
  openApi,
  inferenceOpenApi,
  operatorOpenApi,
  cacheOpenApi,
  blocksOpenApi,
  lockfile,
  ...workers.map((worker) => () => workerTypes(worker)),
];
