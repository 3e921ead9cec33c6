import {
  emptyRegistry,
  type ModelManifest,
  modelManifest,
  packageDocument,
  parse,
  type RegistryChange,
  type Snapshot,
} from "@ledge/contract";
import { registryStep } from "@ledge/policy";
import intent1 from "../../../models/intent/1/model.json" with { type: "json" };
import tinyChat1 from "../../../models/tiny-chat/1/model.json" with { type: "json" };

/**
 * The packages that travel with a deployment, in the order in which their versions are numbered: what the registry starts
 * with. A broken package stops the Worker from starting, not a request.
 */
export function shippedPackages(
  sha256Hex: (text: string) => string,
): readonly Extract<RegistryChange, { kind: "register" }>[] {
  return [intent1, tinyChat1].map(readPackage).map((manifest) => ({
    kind: "register",
    manifest,
    digest: sha256Hex(packageDocument(manifest)),
    source: "bundle",
  }));
}

/** Snapshot 0, which no registry has written: what there is until the first one can be read. */
export function shippedSnapshot(shipped: ReturnType<typeof shippedPackages>): Snapshot {
  const state = shipped.reduce((before, change) => {
    const step = registryStep(before, change, 0);
    if (!step.ok) throw new Error(`the shipped packages do not fit together: ${JSON.stringify(step.fault)}`);
    return step.value.state;
  }, emptyRegistry);
  return { ...state, number: 0 };
}

function readPackage(json: unknown): ModelManifest {
  const manifest = parse(modelManifest, json);
  if (!manifest.ok) throw new Error(`a model.json is broken: ${JSON.stringify(manifest.fault.issues)}`);
  return manifest.value;
}
