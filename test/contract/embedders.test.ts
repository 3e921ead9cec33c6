import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as native from "onnxruntime-node";
import { beforeAll, describe, expect, test } from "vitest";
import { repoRoot } from "../../scripts/repo.ts";

interface Golden {
  readonly text: string;
  readonly ids: readonly number[];
}

/** Runs `input_ids` [batch, length] and gives `embedding`, row after row. */
type Embed = (rows: readonly (readonly number[])[]) => Promise<Float32Array[]>;

const dimensionsOf: Record<string, number> = { embed: 384, "embed-static": 256 };
const bytesMaxOf: Record<string, number> = { embed: 25_000_000, "embed-static": 8_000_000 };

function packed(rows: readonly (readonly number[])[]): { readonly ids: Int32Array; readonly length: number } {
  const length = Math.max(...rows.map((row) => row.length));
  return { ids: Int32Array.from(rows.flatMap((row) => [...row, ...Array(length - row.length).fill(0)])), length };
}

function split(data: unknown, dimensions: number): Float32Array[] {
  if (!(data instanceof Float32Array)) throw new Error("the graph gave no float32 tensor");
  return Array.from({ length: data.length / dimensions }, (_, at) =>
    data.subarray(at * dimensions, (at + 1) * dimensions),
  );
}

const dot = (left: Float32Array, right: Float32Array) => left.reduce((sum, x, at) => sum + x * (right[at] ?? 0), 0);

describe.each(Object.keys(dimensionsOf))("the embedder %s 1", (name) => {
  const folder = join(repoRoot, "models", name, "1");
  const dimensions = dimensionsOf[name] ?? 0;
  const golden: Golden[] = JSON.parse(readFileSync(join(folder, "tokens.golden.json"), "utf8"));
  const rows = golden.map(({ ids }) => ids).filter((ids) => ids.length > 2);
  let embed: Embed;

  beforeAll(async () => {
    const file = join(folder, "model.onnx");
    const nativeSession = await native.InferenceSession.create(file, { intraOpNumThreads: 1 });
    embed = async (batch) => {
      const { ids, length } = packed(batch);
      const answer = await nativeSession.run({ input_ids: new native.Tensor("int32", ids, [batch.length, length]) });
      return split(answer["embedding"]?.data, dimensions);
    };
  });

  test("is one graph within its size", () => {
    expect(statSync(join(folder, "model.onnx")).size).toBeLessThanOrEqual(bytesMaxOf[name] ?? 0);
  });

  test("gives vectors of length 1, the same for a sentence alone and among longer ones", async () => {
    const some = rows.slice(0, 24);
    const together = await embed(some);
    for (const [at, row] of some.entries()) {
      const [alone = new Float32Array()] = await embed([row]);
      expect(dot(alone, alone)).toBeCloseTo(1, 4);
      expect(Math.max(...alone.map((x, i) => Math.abs(x - (together[at]?.[i] ?? Number.NaN))))).toBeLessThan(1e-5);
    }
  });
});
