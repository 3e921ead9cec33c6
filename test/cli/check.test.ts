import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { main } from "../../packages/cli/src/main.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { addGraph, bagOfTokensGraph, identityGraph, linearGraph, statefulGraph } from "../support/onnx-models.ts";
import type { OnnxModel } from "../support/onnx-writer.ts";

const root = mkdtempSync(join(tmpdir(), "ledge-cli-"));
let folders = 0;

/** A folder with these files. */
function folderOf(files: Readonly<Record<string, Uint8Array | string>>): string {
  const folder = join(root, String(++folders));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

async function check(...args: string[]) {
  const terminal = fakeTerminal({ cwd: root });
  const code = await main(["model", "check", ...args], terminal);
  return { code, said: terminal.said.join("\n"), printed: terminal.printed.join("\n") };
}

/** Checks a graph that must pass, as raw tensors. */
async function checked(graph: Uint8Array, ...args: string[]) {
  const folder = folderOf({ "model.onnx": graph });
  const { code, said, printed } = await check(
    join(folder, "model.onnx"),
    "--task",
    "tensor",
    "--yes",
    "--json",
    ...args,
  );
  expect([code, said]).toEqual([0, expect.any(String)]);
  return JSON.parse(printed);
}

describe("any valid ONNX file works, with the same outputs natively and in workerd", () => {
  test("float, int8, int32, int64, bool, string and every other datatype, several inputs and outputs, dynamic axes", async () => {
    const numbers = ["UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"] as const;
    const types = ["FP16", "FP32", "FP64", "BOOL", "BYTES", ...numbers] as const;
    const { manifest, difference, measured } = await checked(identityGraph(types));
    expect(manifest.inputs.map(({ datatype }: { datatype: string }) => datatype)).toEqual(types);
    expect(manifest.inputs[0].shape).toEqual([-1, -1]);
    expect(difference).toEqual({ maxAbs: 0, maxRel: 0, unequal: 0 });
    expect(Object.keys(measured.runMs)).toEqual(["1", "8"]);
    expect(measured.heapBytes).toBeGreaterThanOrEqual(16 * 2 ** 20);
    expect(manifest.tiers).toEqual(["edge", "origin"]);
  });

  test("stateful models whose state goes in and out as tensors", async () => {
    const { manifest, difference } = await checked(statefulGraph());
    expect(manifest.outputs.map(({ name }: { name: string }) => name)).toEqual(["y", "next"]);
    expect(difference.unequal).toBe(0);
  });

  test("fixed shapes run as they are, and an output that says nothing of its shape shows its rank", async () => {
    const shape = [2, 3];
    const { manifest, measured } = await checked(
      addGraph("FP32", {
        inputs: ["a", "b"].map((name) => ({ name, type: "FP32", shape })),
        outputs: [{ name: "y", type: "FP32" }],
      }),
    );
    expect(manifest.outputs[0].shape).toEqual([-1, -1]);
    expect(manifest.limits.batchMax).toBe(1);
    expect(Object.keys(measured.runMs)).toEqual(["1"]);
  });

  test("weights in another file, which becomes part of the package", async () => {
    const weights = Float32Array.from({ length: 64 }, (_, at) => at / 64);
    const initialisers: OnnxModel["initialisers"] = [
      { name: "w", type: "FP32", shape: [8, 8], external: { location: "weights.bin", offset: 0, length: 256 } },
    ];
    const folder = folderOf({
      "model.onnx": linearGraph(8, 8, { initialisers }),
      "weights.bin": new Uint8Array(weights.buffer),
    });
    const { code, printed } = await check(folder, "--name", "split", "--task", "tensor", "--json");
    expect(code).toBe(0);
    const { manifest, difference } = JSON.parse(printed);
    expect(manifest.files).toMatchObject([{ path: "weights.bin", bytes: 256 }]);
    expect(difference.maxRel).toBeLessThan(1e-5);
  });

  test("given samples are run in place of generated ones", async () => {
    const folder = folderOf({
      "model.onnx": linearGraph(2, 2),
      "samples.json": JSON.stringify([
        { inputs: [{ name: "x", data: [[1, 2]] }] },
        {
          inputs: [
            {
              name: "x",
              data: [
                [3, 4],
                [5, 6],
                [7, 8],
              ],
            },
          ],
        },
      ]),
    });
    const { code, printed } = await check(
      folder,
      "--name",
      "given",
      "--task",
      "tensor",
      "--json",
      "--input",
      join(folder, "samples.json"),
    );
    expect(code).toBe(0);
    expect(Object.keys(JSON.parse(printed).measured.runMs)).toEqual(["1", "3"]);
  });
});

describe("a package for a task", () => {
  const intent = join(repoRoot, "models", "intent", "1");
  let shipped: { code: number; printed: string };

  beforeAll(async () => {
    shipped = await check(intent, "--json");
  });

  test("keeps what its model.json says, and gets its own digests, opset, producer and measurement", async () => {
    expect(shipped.code).toBe(0);
    const { manifest } = JSON.parse(shipped.printed);
    const written = JSON.parse(readFileSync(join(intent, "model.json"), "utf8"));
    for (const part of [
      "name",
      "task",
      "licence",
      "file",
      "inputs",
      "outputs",
      "preprocess",
      "postprocess",
      "limits",
      "tiers",
      "profile",
    ]) {
      expect(manifest[part]).toEqual(written[part]);
    }
    expect(manifest).toMatchObject({ opset: 18, producer: "ledge", files: [{ path: "labels.json" }] });
    expect(manifest.measured.heapBytes).toBeGreaterThan(0);
  });

  test("whose labels are not as many as its outputs is refused", async () => {
    const folder = folderOf({
      "model.onnx": readFileSync(join(intent, "model.onnx")),
      "model.json": readFileSync(join(intent, "model.json"), "utf8"),
    });
    const { code, said } = await check(folder, "--labels", "good,bad");
    expect([code, said.split("\n").at(-1)]).toEqual([
      1,
      "The package does not fit together: labels.json has 2 labels and logits 151 classes.",
    ]);
  });

  test("for texts gets its steps from the tokenizer and labels beside the graph, and runs given texts through them", async () => {
    const tokenizer = JSON.parse(
      readFileSync(join(repoRoot, "packages/pipeline/golden/wordpiece.golden.json"), "utf8"),
    );
    const vocabulary = Object.keys(tokenizer.model.vocab).length;
    const folder = folderOf({
      "model.onnx": bagOfTokensGraph(vocabulary, 3),
      "tokenizer.json": JSON.stringify(tokenizer),
      "tokenizer_config.json": JSON.stringify({ model_max_length: 64, pad_token: "[PAD]" }),
      "config.json": JSON.stringify({ id2label: { "0": "bad", "1": "fair", "2": "good" } }),
      "texts.json": JSON.stringify(["what a day", "no"]),
    });
    const flags = ["--name", "mood", "--yes", "--json", "--input", join(folder, "texts.json")];
    const { code, said, printed } = await check(folder, ...flags);
    expect([code, said]).toEqual([0, expect.any(String)]);
    const { manifest, measured } = JSON.parse(printed);
    expect(manifest).toMatchObject({
      task: "text-classification",
      preprocess: {
        kind: "tokenizer",
        tokenizer: "tokenizer.json",
        config: "tokenizer_config.json",
        maxTokens: 64,
        padId: tokenizer.model.vocab["[PAD]"],
        inputs: { ids: "input_ids", mask: "attention_mask" },
      },
      postprocess: { kind: "softmax-labels", labels: "labels.json" },
    });
    expect(manifest.files.map(({ path }: { path: string }) => path).sort()).toEqual([
      "labels.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(Object.keys(measured.runMs)).toEqual(["1", "8"]);
  });

  test("that lacks what its task needs says which flag to type", async () => {
    const graph = join(folderOf({ "model.onnx": linearGraph(4, 2) }), "model.onnx");
    const classify = await check(graph, "--name", "a", "--task", "image-classification", "--labels", "a,b");
    expect([classify.code, classify.said]).toEqual([2, expect.stringContaining("--preprocess FILE")]);
    const unnamed = await check(graph);
    expect([unnamed.code, unnamed.said]).toEqual([
      2,
      expect.stringContaining("--name is missing: give it, or --yes to take 'model'."),
    ]);
  });

  test("keeps of its inputs what values they take and which are usual, which no graph says", async () => {
    const folder = folderOf({ "model.onnx": linearGraph(4, 2) });
    expect((await check(folder, "--name", "scores", "--task", "tensor", "--write")).code).toBe(0);
    const path = join(folder, "model.json");
    const manifest = JSON.parse(readFileSync(path, "utf8"));
    const profile = { tensors: { x: { features: [[0, 1]], threshold: 2 } } };
    const inputs = [{ ...manifest.inputs[0], range: [-10, 10], finite: true }];
    writeFileSync(path, JSON.stringify({ ...manifest, inputs, profile }));
    const { code, printed } = await check(folder, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(printed).manifest).toMatchObject({ inputs, profile });
  });

  test("that chats gets the step by which its prompts are counted from the tokenizer and template beside the graph", async () => {
    const template = "{% for message in messages %}{{ message['content'] }}{% endfor %}";
    const folder = folderOf({
      "model.onnx": linearGraph(4, 2),
      "tokenizer.json": readFileSync(join(repoRoot, "packages/pipeline/golden/wordpiece.golden.json"), "utf8"),
      "tokenizer_config.json": JSON.stringify({ chat_template: template }),
    });
    const { code, printed } = await check(folder, "--name", "talk", "--task", "chat", "--yes", "--json");
    expect(code).toBe(0);
    const { manifest } = JSON.parse(printed);
    const step = { kind: "chat-template", tokenizer: "tokenizer.json", template: "tokenizer_config.json" };
    expect(manifest.preprocess).toEqual(step);
    expect(manifest.files.map(({ path }: { path: string }) => path)).toEqual([
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
  });

  test("is written beside its graph with --write, and checks the same again", async () => {
    const folder = folderOf({ "model.onnx": linearGraph(4, 2) });
    expect((await check(folder, "--name", "scores", "--task", "tensor", "--write")).code).toBe(0);
    const { code, printed } = await check(folder, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(printed).manifest).toMatchObject({ name: "scores", task: "tensor" });
  });
});
