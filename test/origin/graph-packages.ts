import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type PackageManifest, packageDocument, packageManifest } from "@ledge/contract";
import { type Graph, writeOnnx } from "../support/onnx/write-onnx.ts";

export interface WrittenPackage {
  readonly graph: Graph | Uint8Array;
  readonly task: PackageManifest["task"];
  readonly preprocess?: object;
  readonly postprocess?: object;
  /** What the manifest says of outputs, where it is not what the graph has. */
  readonly outputs?: Graph["outputs"];
  /** Other files of the package by path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

/** Writes a model package, version 1, into a folder of models; returns its digest. */
export async function writePackage(modelsDir: string, name: string, made: WrittenPackage): Promise<string> {
  const { graph, task, preprocess, postprocess } = made;
  const dir = join(modelsDir, name, "1");
  const bytes = graph instanceof Uint8Array ? graph : writeOnnx(graph);
  const contents = Object.entries(made.files ?? {}).map(([path, content]) => [path, Buffer.from(content)] as const);
  const tensors = graph instanceof Uint8Array ? { inputs: [], outputs: [] } : graph;
  const manifest = packageManifest.parse({
    name,
    version: "1",
    task,
    description: "Made for a test.",
    licence: "Apache-2.0",
    file: entry("model.onnx", bytes),
    files: contents.map(([path, content]) => entry(path, content)),
    inputs: tensors.inputs,
    outputs: made.outputs ?? tensors.outputs,
    preprocess,
    postprocess,
    tiers: ["origin"],
    limits: { batchMax: 8 },
  });
  for (const [path, content] of [
    ["model.onnx", bytes],
    ["model.json", JSON.stringify(manifest)],
    ...contents,
  ] as const) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
  return sha256(packageDocument(manifest));
}

function entry(path: string, bytes: Uint8Array) {
  return { path, bytes: bytes.length, sha256: sha256(bytes) };
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
