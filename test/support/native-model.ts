import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  ok,
  type PackageManifest,
  type Prediction,
  packageManifest,
  parse,
  type Tensor,
  type Tensors,
} from "@ledge/contract";
import { createServable, datatypeOfOrt, filesOfSteps, ortTypes, type Servable } from "@ledge/pipeline";
import * as ort from "onnxruntime-node";
import { repoRoot } from "../../scripts/repo.ts";

/** A shipped model's package, run natively in this process. */
export async function nativeModel(name: string, version = "1"): Promise<(text: string) => Promise<Prediction>> {
  const dir = join(repoRoot, "models", name, version);
  const manifest = parse(packageManifest, JSON.parse(await readFile(join(dir, "model.json"), "utf8")));
  if (!manifest.ok) throw new Error(`${dir}: ${JSON.stringify(manifest.fault.issues)}`);
  const servable = await load(dir, manifest.value);
  return async (text) => {
    const row = servable.prepare(text);
    if (!row.ok) throw new Error(`${name}: ${JSON.stringify(row.fault)}`);
    const out = await servable.run([row.value]);
    const first = out.ok ? out.value[0] : undefined;
    if (first === undefined) throw new Error(`${name}: ${JSON.stringify(out)}`);
    return servable.shape(first, { topK: 1000, logits: false });
  };
}

async function load(dir: string, manifest: PackageManifest): Promise<Servable> {
  const session = await ort.InferenceSession.create(join(dir, manifest.file.path), {
    intraOpNumThreads: 1,
    extra: { session: { x64quantprecision: "1" } },
  });
  const paths = filesOfSteps(manifest);
  const files = new Map(await Promise.all(paths.map(async (path) => [path, await readFile(join(dir, path))] as const)));
  const made = createServable({
    manifest,
    files,
    run: async (feeds, wanted) => ok(tensors(await session.run(ortFeeds(feeds), wanted))),
  });
  if (!made.ok) throw new Error(JSON.stringify(made.fault));
  return made.value;
}

function ortFeeds(feeds: Tensors): Record<string, ort.Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { datatype, data, shape }]) => [
      name,
      new ort.Tensor(ortTypes[datatype], data as ort.Tensor.DataType, shape),
    ]),
  );
}

function tensors(outputs: ort.InferenceSession.OnnxValueMapType): Tensors {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => {
      const { type, dims: shape, data } = value as ort.Tensor;
      return [name, { datatype: datatypeOfOrt(type), shape, data } as Tensor];
    }),
  );
}
