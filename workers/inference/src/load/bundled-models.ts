import intentLabels from "../../../../models/intent/1/labels.json";
import intentManifest from "../../../../models/intent/1/model.json";
import intentGraph from "../../../../models/intent/1/model.onnx";
import chatManifest from "../../../../models/tiny-chat/1/model.json";
import chatTokenizer from "../../../../models/tiny-chat/1/tokenizer.json";
import chatTemplate from "../../../../models/tiny-chat/1/tokenizer_config.json";
import type { BundledModel } from "./find-package.ts";

/** Adding a model to the bundle: its imports and one line. Models in the store need neither. */
export const bundledModels: readonly BundledModel[] = [
  { manifest: intentManifest, graph: intentGraph, files: { "labels.json": intentLabels } },
];

/** Of models that travel with a deployment and are not run here: what their prompts are counted by. */
export const bundledTokenizers: readonly BundledModel[] = [
  {
    manifest: chatManifest,
    graph: new ArrayBuffer(0),
    files: { "tokenizer.json": chatTokenizer, "tokenizer_config.json": chatTemplate },
  },
];
