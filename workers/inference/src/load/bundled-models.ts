import intentLabels from "../../../../models/intent/1/labels.json";
import intentManifest from "../../../../models/intent/1/model.json";
import intentGraph from "../../../../models/intent/1/model.onnx";
import type { BundledModel } from "./find-package.ts";

/** Adding a model to the bundle: its imports and one line. Models in the store need neither. */
export const bundledModels: readonly BundledModel[] = [
  { manifest: intentManifest, graph: intentGraph, files: { "labels.json": intentLabels } },
];
