import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addGraph, identityGraph, linearGraph, statefulGraph } from "../../../../test/support/onnx-models.ts";
import { type OnnxTensor, writeOnnx } from "../../../../test/support/onnx-writer.ts";
import { Refusal } from "../refusal.ts";
import { readGraph } from "./read-graph.ts";

const root = mkdtempSync(join(tmpdir(), "ledge-cli-"));
let files = 0;

function inFolder(bytes: Uint8Array | string, name = "model.onnx"): string {
  const folder = join(root, String(++files));
  mkdirSync(folder);
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

const read = (bytes: Uint8Array | string) => readGraph(inFolder(bytes));

/** The sentence that a file is refused with. */
async function refusalOf(bytes: Uint8Array | string): Promise<string> {
  const error = await read(bytes).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Refusal)) throw new Error(`not refused: ${error}`);
  return error.message;
}

const withWeights = (tensor: Partial<OnnxTensor>) => {
  const initialisers: OnnxTensor[] = [{ name: "w", type: "FP32", shape: [4, 2], ...tensor }];
  return linearGraph(4, 2, { initialisers });
};

describe("reading a graph", () => {
  test("tells its inputs, outputs, shapes, datatypes, opset and producer", async () => {
    const facts = await read(linearGraph(4, 2, { opset: 13, producer: "pytorch", producerVersion: "2.15" }));
    expect(facts).toMatchObject({
      opset: 13,
      producer: "pytorch 2.15",
      inputs: [{ name: "x", datatype: "FP32", shape: [-1, 4], dimensions: ["batch", 4] }],
      outputs: [{ name: "y", datatype: "FP32", shape: [-1, 2] }],
    });
  });

  test("knows every datatype that a request can carry, and states that go in and out", async () => {
    const types = ["BOOL", "UINT8", "UINT64", "INT8", "INT16", "INT64", "FP16", "FP64", "BYTES"] as const;
    expect((await read(identityGraph(types))).inputs.map(({ datatype }) => datatype)).toEqual(types);
    expect((await read(statefulGraph())).outputs.map(({ name }) => name)).toEqual(["y", "next"]);
  });

  test("leaves weights out that old files list among the inputs", async () => {
    const inputs = [
      { name: "x", type: "FP32", shape: ["batch", 4] },
      { name: "w", type: "FP32", shape: [4, 2] },
    ] as const;
    expect((await read(linearGraph(4, 2, { inputs }))).inputs.map(({ name }) => name)).toEqual(["x"]);
  });

  test("finds how many rows an input may look up, through a cast", async () => {
    const graph = writeOnnx({
      inputs: [{ name: "ids", type: "INT32", shape: ["batch"] }],
      outputs: [{ name: "y", type: "FP32", shape: ["batch", 2] }],
      nodes: [
        { op: "Cast", inputs: ["ids"], outputs: ["wide"], attributes: { to: 7 } },
        { op: "Gather", inputs: ["table", "wide"], outputs: ["y"] },
      ],
      initialisers: [{ name: "table", type: "FP32", shape: [50, 2], data: new Float32Array(100) }],
    });
    expect((await read(graph)).rowsLookedUp).toEqual(new Map([["ids", 50]]));
  });
});

describe("a broken or hostile file gets one clear sentence", () => {
  test("cut off anywhere", async () => {
    const whole = linearGraph(8, 8);
    for (const length of [1, 10, whole.length >> 1, whole.length - 60, whole.length - 5]) {
      expect(await refusalOf(whole.subarray(0, length))).toMatch(/^model\.onnx: This (?:is not an )?ONNX file/);
    }
  });

  test("of another kind", async () => {
    expect(await refusalOf("")).toContain("an empty file");
    expect(await refusalOf("PK\u0003\u0004 and so on")).toContain("torch.onnx.export");
    expect(await refusalOf("version https://git-lfs.github.com/spec/v1\n")).toContain("git lfs pull");
    expect(await refusalOf("<!DOCTYPE html><html>")).toContain("a web page");
    expect(await refusalOf("just a text that somebody named .onnx")).toContain("it is no ONNX file");
  });

  test("that declares a gigabyte in a hundred bytes", async () => {
    const says = "The tensor 'w' declares 1073741824 bytes and carries 32: the file is broken.";
    expect(await refusalOf(withWeights({ shape: [16_384, 16_384], data: new Float32Array(8) }))).toContain(says);
    expect(await refusalOf(withWeights({ shape: [2 ** 30] }))).toContain("declares 1073741824 elements and carries 0");
    const impossible = withWeights({ shape: [2 ** 40, 2 ** 40], data: new Float32Array(1) });
    expect(await refusalOf(impossible)).toContain("impossible shape");
    expect(await refusalOf(withWeights({ shape: [-4, 2], data: new Float32Array(8) }))).toContain("impossible shape");
  });

  test("that hides such a tensor in a node, or in a graph within a node", async () => {
    const tensor: OnnxTensor = { name: "", type: "FP32", shape: [2 ** 28], data: new Float32Array(1) };
    const constant = { op: "Constant", inputs: [], outputs: ["c"], attributes: { value: { tensor } } };
    const inner = { inputs: [], outputs: [], nodes: [constant] };
    const branch = { op: "If", inputs: ["x"], outputs: ["y"], attributes: { then_branch: { graph: inner } } };
    for (const node of [constant, branch]) {
      expect(await refusalOf(linearGraph(4, 2, { nodes: [node] }))).toContain("A constant declares 1073741824 bytes");
    }
  });

  test("that nests graphs without end", async () => {
    let graph: Parameters<typeof writeOnnx>[0] = { inputs: [], outputs: [], nodes: [] };
    for (let depth = 0; depth < 200; depth++) {
      const node = { op: "If", inputs: ["x"], outputs: ["y"], attributes: { then_branch: { graph } } };
      graph = { inputs: [], outputs: [], nodes: [node] };
    }
    expect(await refusalOf(writeOnnx(graph))).toContain("nested too deeply");
  });

  test("whose inputs no request can carry", async () => {
    expect(await refusalOf(addGraph("BF16"))).toContain("The input 'a' is bfloat16, which no request can carry");
    const map = linearGraph(4, 2, { outputs: [] });
    expect(await refusalOf(map)).toContain("This graph has no output");
  });

  test("of random bytes, or with any byte changed: a sentence or a graph, and never a crash", async () => {
    const whole = linearGraph(4, 2);
    const broken = fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, byte]) => {
      const bytes = new Uint8Array(whole);
      bytes[at] = byte;
      return bytes;
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(broken, fc.uint8Array({ maxLength: 300 })), async (bytes) => {
        const path = join(root, "random.onnx");
        writeFileSync(path, bytes);
        await readGraph(path).catch((error: unknown) => {
          if (!(error instanceof Refusal)) throw error;
        });
      }),
      { numRuns: 300 },
    );
  });
});

describe("weights in other files", () => {
  const external = (location: string, more: object = {}) => withWeights({ external: { location, ...more } });

  test("are found beside the graph and held against what the tensors need", async () => {
    const path = inFolder(external("weights/w.bin", { offset: 8, length: 32 }));
    mkdirSync(join(path, "..", "weights"));
    writeFileSync(join(path, "..", "weights", "w.bin"), new Uint8Array(40));
    const { externals } = await readGraph(path);
    expect(externals).toMatchObject([{ location: "weights/w.bin", bytes: 40 }]);
    writeFileSync(join(path, "..", "weights", "w.bin"), new Uint8Array(39));
    await expect(readGraph(path)).rejects.toThrow("needs 32 bytes of 'weights/w.bin' from byte 8, which has 39");
  });

  test("that are missing are named, with what to do", async () => {
    expect(await refusalOf(external("w.bin"))).toContain("External data 'w.bin' is missing: put it beside the graph");
  });

  test("are never looked for outside the model's folder, by any spelling or by a link", async () => {
    const secret = join(root, "secret.bin");
    writeFileSync(secret, new Uint8Array(32));
    const ways = ["../secret.bin", secret, "a/../../secret.bin", "..\\secret.bin", "~/x", "C:x", "", ".", "./w.bin"];
    for (const way of ways) expect(await refusalOf(external(way))).toContain("lies outside the model's folder");
    const path = inFolder(external("w.bin"));
    symlinkSync(secret, join(path, "..", "w.bin"));
    await expect(readGraph(path)).rejects.toThrow("a link out of the model's folder");
  });

  test("with an offset or length that is no number fit nothing", async () => {
    for (const more of [{ offset: -1 }, { length: 33 }, { offset: 1e18 }]) {
      const path = inFolder(external("w.bin", more));
      writeFileSync(join(path, "..", "w.bin"), new Uint8Array(64));
      await expect(readGraph(path)).rejects.toThrow("The tensor 'w' needs 32 bytes of 'w.bin'");
    }
  });
});
