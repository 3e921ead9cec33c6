import type { TallyBatch } from "@ledge/contract";
import { expect, test } from "vitest";
import type { DeployedModel, Trail } from "../exchange.ts";
import { recordCall } from "./record.ts";
import { Tallies } from "./tally.ts";

const model = { name: "m", version: "2", digest: "d", manifest: {} } as unknown as DeployedModel;

async function counted(trail: Partial<Trail>, code?: Parameters<typeof recordCall>[2]) {
  const batches: TallyBatch[] = [];
  const sink = {
    add: async (_model: string, batch: TallyBatch) => {
      batches.push(batch);
    },
  };
  const tallies = new Tallies({ sink, isolate: () => "i", nowMs: () => 0, say: () => undefined });
  const accounts = { record: () => undefined };
  const runtime = { tallies, accounts };
  const x = { requestId: "r", startedMs: 100, trail: { timings: {}, ...trail }, runtime, waitUntil: () => undefined };
  recordCall(x, 130, code);
  await tallies.flush();
  return batches[0]?.versions;
}

test("a call that never came to a version counts for none", async () => {
  expect(await counted({}, "invalid_credentials")).toBeUndefined();
});

test("a call counts for the version it was assigned to, with its whole time", async () => {
  const versions = await counted({ model, work: { rows: 3 } });
  expect(versions).toMatchObject({ "2": { success: { count: 1, ns: 30_000_000 }, inferenceCount: 3 } });
});

test("a call whose cache was not asked is neither a hit nor a miss", async () => {
  const bypass = { kind: "forward", why: "bypass", stored: false } as const;
  expect(await counted({ model, cache: bypass })).toMatchObject({
    "2": { cacheHit: { count: 0 }, cacheMiss: { count: 0 } },
  });
  const hit = { kind: "hit", layer: "memory", ttlS: 1, ageS: 0 } as const;
  expect(await counted({ model, cache: hit })).toMatchObject({ "2": { cacheHit: { count: 1 }, inferenceCount: 0 } });
});

test("a call that failed, or whose caller left, is a failure of its reason", async () => {
  expect(await counted({ model }, "upstream_failed")).toMatchObject({ "2": { failures: { BACKEND: 1 } } });
  expect(await counted({ model }, "canceled")).toMatchObject({ "2": { failures: { CANCELED: 1 } } });
});
