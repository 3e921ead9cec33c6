import { type ModelManifest, modelManifest, parse } from "@ledge/contract";
import intent1 from "../../../../models/intent/1/model.json";
import tinyChat1 from "../../../../models/tiny-chat/1/model.json";
import type { DeployedModel } from "../exchange.ts";

/** What is deployed: the packages shipped in `models/`. A broken package stops the Worker from starting, not a request. */
export const deployedModels: readonly DeployedModel[] = [intent1, tinyChat1].map(readPackage).map(deployed);

function readPackage(json: unknown): ModelManifest {
  const manifest = parse(modelManifest, json);
  if (!manifest.ok) throw new Error(`a model.json is broken: ${JSON.stringify(manifest.fault.issues)}`);
  return manifest.value;
}

function deployed(manifest: ModelManifest): DeployedModel {
  return { name: manifest.name, version: manifest.version, digest: manifest.file.sha256, manifest };
}
