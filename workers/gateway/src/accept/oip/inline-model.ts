import { type Datatype, datatype, fail, ok, parse, type Result, type TensorSpec } from "@ledge/contract";
import * as z from "zod/mini";
import { fromBase64 } from "../../base64.ts";
import type { LoadAsked } from "./repository.ts";

/** A model whose configuration and files come with the load request: what of Triton's ModelConfig means something here. */

const configTensor = z.looseObject({
  name: z.string(),
  data_type: z.string(),
  dims: z.array(z.union([z.int(), z.string().check(z.regex(/^-?[0-9]{1,10}$/))])),
  reshape: z.optional(z.looseObject({ shape: z.optional(z.array(z.int())) })),
});
const modelConfig = z.looseObject({
  name: z.optional(z.string()),
  max_batch_size: z.optional(z.int().check(z.gte(0), z.lte(1024))),
  default_model_filename: z.optional(z.string()),
  input: z.array(configTensor),
  output: z.array(configTensor),
});

export interface InlineModel {
  /** A package's manifest but for the version, which the registry gives, and for sizes and hashes of its files. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** The graph's path among the files. */
  readonly graph: string;
  /** By path, without the version's folder. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Errors: `invalid_request` with every fault of the configuration, or with what is missing. */
export function readInlineModel(name: string, asked: LoadAsked): Result<InlineModel> {
  const config = readConfig(asked.config);
  if (!config.ok) return config;
  const { name: named, max_batch_size: batch = 0, default_model_filename: graph = "model.onnx" } = config.value;
  if (named !== undefined && named !== "" && named !== name) {
    return fail("invalid_request", { detail: `The configuration names '${named}', the path '${name}'.` });
  }
  const files = readFiles(asked.files);
  if (!files.ok) return files;
  if (!files.value.has(graph)) {
    return fail("invalid_request", { detail: `The graph is missing: send 'file:1/${graph}' in base64.` });
  }
  const inputs = tensors(config.value.input, batch > 0);
  const outputs = tensors(config.value.output, batch > 0);
  if (inputs === undefined || outputs === undefined) {
    const detail = `A data_type is one of ${[...typeNames.keys()].join(", ")}.`;
    return fail("invalid_request", { detail });
  }
  const manifest = {
    name,
    task: "tensor",
    description: "Loaded through the Open Inference Protocol.",
    licence: "not stated",
    inputs,
    outputs,
    tiers: ["edge", "origin"],
    limits: batch > 0 ? { batchMax: batch } : {},
  };
  return ok({ manifest, graph, files: files.value });
}

function readConfig(text: string | undefined): Result<z.infer<typeof modelConfig>> {
  if (text === undefined)
    return fail("invalid_request", { detail: "Files come with a 'config': name inputs and outputs." });
  try {
    return parse(modelConfig, JSON.parse(text));
  } catch {
    return fail("invalid_request", { detail: "'config' is not JSON." });
  }
}

/** Paths begin with a version's folder, which the registry's own number takes the place of. */
function readFiles(files: LoadAsked["files"]): Result<ReadonlyMap<string, Uint8Array>> {
  const read = new Map<string, Uint8Array>();
  for (const [path, base64] of files) {
    const bytes = fromBase64(base64);
    const inside = /^[0-9]+\/(.+)$/.exec(path)?.[1];
    if (inside === undefined || bytes === undefined || bytes.length === 0 || read.has(inside)) {
      return fail("invalid_request", { detail: `A file is 'file:<version>/<path>' with its bytes in base64, once.` });
    }
    read.set(inside, bytes);
  }
  return ok(read);
}

const typeNames = new Map<string, Datatype>(
  datatype.options.map((name) => [`TYPE_${name === "BYTES" ? "STRING" : name}`, name]),
);

/** `undefined` when a data type is none of ours. */
function tensors(specs: z.infer<typeof modelConfig>["input"], batched: boolean): readonly TensorSpec[] | undefined {
  const read: TensorSpec[] = [];
  for (const { name, data_type, dims, reshape } of specs) {
    const type = typeNames.get(data_type);
    if (type === undefined) return undefined;
    const shape = reshape?.shape ?? dims.map(Number);
    read.push({ name, datatype: type, shape: batched ? [-1, ...shape] : shape });
  }
  return read;
}
