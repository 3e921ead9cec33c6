import { workers } from "../edge/build.ts";
import { errorsPage } from "./errors-page.ts";
import type { Generated } from "./generated.ts";
import { lockfile } from "./lockfile.ts";
import { nearestRows } from "./nearest-rows.ts";
import {
  blocksOpenApi,
  cacheOpenApi,
  inferenceOpenApi,
  jobsOpenApi,
  keysOpenApi,
  openApi,
  operatorOpenApi,
  tenancyOpenApi,
  termsOpenApi,
  usageOpenApi,
} from "./openapi.ts";
import { shippedSnapshotFile } from "./shipped-snapshot.ts";
import { workerTypes } from "./worker-types.ts";

/** Everything that is generated. Each throws when it cannot do its work; none writes into the repository. */
export const generators: readonly (() => Promise<Generated>)[] = [
  async () => errorsPage(),
  openApi,
  inferenceOpenApi,
  operatorOpenApi,
  cacheOpenApi,
  jobsOpenApi,
  keysOpenApi,
  tenancyOpenApi,
  termsOpenApi,
  shippedSnapshotFile,
  usageOpenApi,
  blocksOpenApi,
  lockfile,
  nearestRows,
  ...workers.map((worker) => () => workerTypes(worker)),
];
