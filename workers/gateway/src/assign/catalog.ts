import { type ModelManifest, modelManifest, packageDocument, parse } from "@ledge/contract";
import intent1 from "../../../../models/intent/1/model.json";
import tinyChat1 from "../../../../models/tiny-chat/1/model.json";
import type { DeployedModel } from "../exchange.ts";

/** What is deployed: the packages shipped in `models/`. A broken package stops the Worker from starting, not a request. */
export function shippedModels(sha256Hex: (text: string) => string): readonly DeployedModel[] {
  return [intent1, tinyChat1].map(readPackage).map((manifest) => ({
    name: manifest.name,
    version: manifest.version,
    digest: sha256Hex(packageDocument(manifest)),
    manifest,
  }));
}

function readPackage(json: unknown): ModelManifest {
  const manifest = parse(modelManifest, json);
  if (!manifest.ok) throw new Error(`a model.json is broken: ${JSON.stringify(manifest.fault.issues)}`);
  return manifest.value;
}
