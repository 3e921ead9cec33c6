import { packageDocument } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callerWorker } from "../../scripts/bench/bare-workers.ts";
import { freePort } from "../../scripts/bench/free-port.ts";
import { type Inspector, inspect } from "../../scripts/bench/inspector.ts";
import { residentBytes } from "../../scripts/bench/process-figures.ts";
import { type RunningWorkerd, startWorkerd } from "../../scripts/bench/workerd.ts";
import { builtWorker, scriptWorker, serviceBinding } from "../../scripts/bench/workerd-config.ts";
import { int8Transformer, sixLayers } from "../support/onnx/transformer.ts";
import { packageOf, refOf, type TestPackage } from "./inference-harness.ts";

/** What models take of the isolate's 128 MB. On a bare workerd, since only there V8 can be asked. */

const graph = int8Transformer(sixLayers);
const open = { datatype: "INT64", shape: [-1, -1] } as const;
const shapes = {
  inputs: [
    { name: "ids", ...open },
    { name: "mask", ...open },
  ],
  outputs: [{ name: "logits", datatype: "FP32" as const, shape: [-1, sixLayers.classes] }],
  limits: { batchMax: 8 },
};
const packages = ["first", "second"].map((name) => packageOf(name, { "model.onnx": graph }, shapes as never));
const refs = packages.map(({ manifest }) => refOf(manifest));

let workerd: RunningWorkerd;
let inspector: Inspector;

beforeAll(async () => {
  const inspectorPort = await freePort();
  const parts = [
    builtWorker("inference", {}, false),
    scriptWorker("caller", callerWorker, [serviceBinding("INFERENCE", "ledge-inference")], true),
  ];
  workerd = await startWorkerd(parts, { inspectorPort, blobs: Object.assign({}, ...packages.map(blobsOf)) });
  inspector = await inspect(inspectorPort, "ledge-inference");
});
afterAll(() => {
  inspector?.close();
  workerd?.close();
});

function blobsOf({ manifest, files }: TestPackage): Record<string, Uint8Array | string> {
  const document = packageDocument(manifest);
  return {
    [`blobs/${manifest.file.sha256}`]: files["model.onnx"] ?? "",
    [`blobs/${refOf(manifest).digest}`]: document,
  };
}

async function ask(method: string, argument: unknown) {
  const response = await fetch(`${workerd.url("caller")}/${method}`, {
    method: "POST",
    body: JSON.stringify(argument),
  });
  const answer = (await response.json()) as { readonly ok: boolean; readonly fault?: { readonly cause?: string } };
  if (!answer.ok) throw new Error(`${method}: ${answer.fault?.cause}`);
}

async function wasmHeapBytes(): Promise<number> {
  return ((await (await fetch(workerd.url("caller"))).json()) as { wasmHeapBytes: number }).wasmHeapBytes;
}

/** What V8 holds for JavaScript, garbage included, and the buffers of JavaScript's beside it. */
async function javascriptBytes(): Promise<number> {
  const usage = await inspector.call<{ totalSize: number; backingStorageSize: number }>("Runtime.getHeapUsage");
  return usage.totalSize + usage.backingStorageSize;
}

const mb = 1_000_000;

describe("a 23 MB int8 transformer", () => {
  test("runs in the inference Worker with heap and JavaScript within 115 MB", async () => {
    expect(graph.length / mb).toBeGreaterThan(22);
    await ask("load", refs[0]); // Verified, opened, and run at batches of 1 and 8.
    const heap = await wasmHeapBytes();
    const javascript = await javascriptBytes();
    console.log(`heap ${(heap / mb).toFixed(1)} MB, JavaScript ${(javascript / mb).toFixed(1)} MB`);
    expect(heap + javascript).toBeLessThanOrEqual(115 * mb);
  });

  test("takes of the heap no more than 1.1 times itself beside 16 MiB: its weights are copied once", async () => {
    expect(await wasmHeapBytes()).toBeLessThanOrEqual(16 * 2 ** 20 + 1.1 * graph.length);
  });
});

test("an isolate that hosted large models gets its memory back: twelve loads take no more than a few", async () => {
  const resident: number[] = [];
  for (let round = 0; round < 12; round++) {
    await ask("unload", refs[round % 2]);
    await ask("load", refs[(round + 1) % 2]);
    resident.push(residentBytes(workerd.pid));
  }
  const mib = resident.map((bytes) => Math.round(bytes / 2 ** 20));
  console.log(`resident MiB after each load: ${mib.join(", ")}`);
  // Twelve heaps of 35 MiB and files of 21 MiB would be 670 MiB; V8 lets some garbage lie before it collects it.
  expect(Math.max(...mib.slice(6))).toBeLessThan((mib[0] ?? 0) + 300);
  expect(await wasmHeapBytes()).toBeLessThan(45 * 2 ** 20);
});
