import { type PackageRef, parse } from "@ledge/contract";
import * as z from "zod/mini";

/** The part of a KV namespace that is read. */
export interface SnapshotStore {
  get(key: string): Promise<string | null>;
}

/** Of the registry's snapshot, what preloading needs. */
const snapshot = z.object({
  hot: z.array(z.string()),
  models: z.record(
    z.string(),
    z.object({
      versions: z.array(
        z.object({
          version: z.string(),
          digest: z.string(),
          state: z.string(),
          manifest: z.object({ tiers: z.array(z.string()) }),
        }),
      ),
    }),
  ),
});

/** What usage says is worth having at hand, hottest first. Nothing when there is no snapshot, or it cannot be read. */
export async function hotPackages(store: SnapshotStore | undefined): Promise<readonly PackageRef[]> {
  const read = await readSnapshot(store).catch(() => undefined);
  if (read === undefined) return [];
  const callable = Object.entries(read.models).flatMap(([model, { versions }]) =>
    versions
      .filter(({ state, manifest }) => state === "ready" && manifest.tiers.includes("edge"))
      .map(({ version, digest }) => ({ model, version, digest })),
  );
  return read.hot.flatMap((digest) => callable.find((ref) => ref.digest === digest) ?? []);
}

async function readSnapshot(store: SnapshotStore | undefined) {
  const number = await store?.get("current");
  const text = number === null || number === undefined ? null : await store?.get(`snapshot:${number}`);
  if (text === null || text === undefined) return undefined;
  const read = parse(snapshot, JSON.parse(text));
  return read.ok ? read.value : undefined;
}
