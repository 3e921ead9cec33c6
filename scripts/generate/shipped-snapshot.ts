import { createHash } from "node:crypto";
import { shippedPackages, shippedSnapshot } from "@ledge/gateway/shipped";
import type { Generated } from "./generated.ts";

/**
 * Snapshot 0: what a gateway goes by until it can read one of the registry's. Made here, so that the gateway carries neither the
 * registry's rules nor what recipes say of themselves.
 */
export async function shippedSnapshotFile(): Promise<Generated> {
  const sha256Hex = (text: string) => createHash("sha256").update(text).digest("hex");
  const { models, ...rest } = shippedSnapshot(shippedPackages(sha256Hex));
  const lean = Object.entries(models).map(([name, model]) => {
    const versions = model.versions.map(({ manifest, ...version }) => {
      const { metrics: _metrics, training: _training, ...serving } = manifest;
      return { ...version, manifest: serving };
    });
    return [name, { ...model, versions }];
  });
  const snapshot = { ...rest, models: Object.fromEntries(lean) };
  return { path: "workers/gateway/src/shipped-snapshot.json", text: `${JSON.stringify(snapshot, null, 2)}\n` };
}
