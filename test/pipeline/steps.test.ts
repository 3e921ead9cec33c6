import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ModelManifest, PredictInput } from "@ledge/contract";
import { createServable } from "@ledge/pipeline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestHarness } from "wrangler";
import { plainNumbers, type StepsCall } from "./steps-worker.ts";

const root = join(import.meta.dirname, "..", "..");
const golden = join(root, "packages", "pipeline", "golden");
const readGolden = (name: string) => JSON.parse(readFileSync(join(golden, `${name}.golden.json`), "utf8"));

const harness = createTestHarness({
  root,
  workers: [
    {
      config: {
        name: "steps",
        main: join(import.meta.dirname, "steps-worker.ts"),
        compatibility_date: "2026-11-01",
        compatibility_flags: ["no_nodejs_compat", "no_nodejs_compat_v2"],
      },
    },
  ],
});
beforeAll(() => harness.listen());
afterAll(() => harness.close());

const bare = {
  name: "steps",
  version: "1",
  description: "",
  licence: "Apache-2.0",
  file: { path: "model.onnx", bytes: 1, sha256: "0".repeat(64) },
  outputs: [{ name: "vector", datatype: "FP32" as const, shape: [-1, 4] }],
  postprocess: { kind: "embedding", pool: "none", normalise: true, dimensions: 4 },
  task: "embedding" as const,
  tiers: ["edge" as const],
  limits: {},
};

/** The rows that workerd prepares, and those that Node does. */
async function preparedInBoth(
  preprocess: ModelManifest["preprocess"],
  given: Omit<StepsCall, "manifest">,
  rank: number,
) {
  const datatype = preprocess?.kind === "tokenizer" ? ("INT64" as const) : ("FP32" as const);
  const inputs = [{ name: "x", datatype, shape: Array<number>(rank).fill(-1) }];
  const manifest: ModelManifest = { ...bare, inputs, preprocess };
  const body = JSON.stringify({ manifest, ...given });
  const response = await harness.fetch("/", { method: "POST", body });
  expect(response.status).toBe(200);
  const files = new Map(Object.entries(given.files).map(([path, text]) => [path, new TextEncoder().encode(text)]));
  const servable = createServable({ manifest, files, run: async () => ({ ok: true, value: {} }) });
  if (!servable.ok) throw new Error(servable.fault.cause);
  const inNode = JSON.parse(JSON.stringify(given.inputs.map(servable.value.prepare), plainNumbers));
  return [await response.json(), inNode];
}

test.each(["wordpiece", "byte-level"])(
  "in workerd without Node's layer a %s tokenizer gives the same ids as in Node",
  async (name) => {
    const { texts }: { readonly texts: readonly string[] } = readGolden("token-ids");
    const step = { kind: "tokenizer", tokenizer: "t.json", maxTokens: 24, padId: 0, inputs: { ids: "x" } };
    const files = { "t.json": readFileSync(join(golden, `${name}.golden.json`), "utf8") };
    const [edge, node] = await preparedInBoth(step, { files, inputs: texts }, 2);
    expect(edge).toHaveLength(200);
    expect(edge).toEqual(node);
  },
);

test("in workerd without Node's layer pictures become the same tensors as in Node", async () => {
  const { files, cases } = readGolden("pictures");
  const inputs: readonly PredictInput[] = Object.values<string>(files).map((image) => ({ image }));
  const [edge, node] = await preparedInBoth(cases[1].step, { files: {}, inputs }, 4);
  expect(edge).toHaveLength(inputs.length);
  expect(edge).toEqual(node);
});

test("in workerd without Node's layer sounds become the same tensors as in Node", async () => {
  const { cases }: { readonly cases: readonly { readonly wav: string; readonly step: ModelManifest["preprocess"] }[] } =
    readGolden("sounds");
  const inputs = cases.map(({ wav }) => ({ audio: wav }));
  for (const [step, rank] of [
    [cases[0]?.step, 2],
    [cases.at(-1)?.step, 3],
  ] as const) {
    const [edge, node] = await preparedInBoth(step, { files: {}, inputs }, rank);
    expect(edge).toEqual(node);
  }
});
