import intentLabels from "../../../../models/intent/1/labels.json";
import intentManifest from "../../../../models/intent/1/model.json";
import intentGraph from "../../../../models/intent/1/model.onnx";
import type { BundledModel } from "./edge-model.ts";

/** Adding a model to the edge: three imports and one line. */
export const bundledModels: readonly BundledModel[] = [
  { manifest: intentManifest, labels: intentLabels, graph: intentGraph },
];
