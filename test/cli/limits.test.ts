import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { main } from "../../packages/cli/src/main.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { endlessGraph, linearGraph } from "../support/onnx-models.ts";

const root = mkdtempSync(join(tmpdir(), "ledge-cli-"));

/** The one sentence that a graph is refused with, after what was said of it. */
async function refused(graph: Uint8Array, ...args: string[]): Promise<string> {
  const path = join(root, "model.onnx");
  writeFileSync(path, graph);
  const terminal = fakeTerminal({ cwd: root });
  expect(await main(["model", "check", path, "--task", "tensor", "--yes", ...args], terminal)).toBe(1);
  expect(terminal.printed).toEqual([]);
  return terminal.said.at(-1) ?? "";
}

/** Measuring processes that this one started and that have not ended. */
function measuringProcesses(): readonly string[] {
  const lines = execFileSync("ps", ["-axo", "ppid=,stat=,args="], { encoding: "utf8" }).split("\n");
  const own = lines.map((line) => line.trim().split(/\s+/)).filter(([parent]) => Number(parent) === process.pid);
  return own
    .filter(([, state]) => !state?.startsWith("Z"))
    .map((words) => words.join(" "))
    .filter((line) => line.includes("-process.ts"));
}

describe("a model that cannot run", () => {
  test("for an operator that is not there is refused, naming it", async () => {
    const foo = { op: "Foo", domain: "com.acme", inputs: ["x"], outputs: ["y"] };
    const sentence = await refused(linearGraph(4, 4, { nodes: [foo], domains: { "com.acme": 1 } }));
    expect(sentence).toBe(
      "The model does not run in native ONNX Runtime: it has no operator com.acme:Foo for these types: export the model without it.",
    );
  });

  test("for wires that lead nowhere is refused with what ONNX Runtime says", async () => {
    const add = { op: "Add", inputs: ["x", "nothing"], outputs: ["y"] };
    expect(await refused(linearGraph(4, 4, { nodes: [add] }))).toContain("Node input 'nothing' is not a graph input");
  });

  test("for the memory it takes is ended at the limit, and nothing is left running", async () => {
    const size = BigInt64Array.of(3_000_000n, 1000n);
    const graph = linearGraph(1, 1, {
      outputs: [{ name: "y", type: "FP32" }],
      initialisers: [{ name: "size", type: "INT64", shape: [2], data: size }],
      nodes: [
        { op: "ConstantOfShape", inputs: ["size"], outputs: ["huge"] },
        { op: "Add", inputs: ["x", "huge"], outputs: ["y"] },
      ],
    });
    expect(await refused(graph, "--memory", "700")).toBe(
      "The model does not run in native ONNX Runtime: it took more than 700 MiB of memory.",
    );
    expect(measuringProcesses()).toEqual([]);
  });

  test("for the time it takes is ended at the limit, and nothing is left running", async () => {
    expect(await refused(endlessGraph(), "--timeout", "2")).toBe(
      "The model does not run in native ONNX Runtime: it took longer than 2 s.",
    );
    expect(measuringProcesses()).toEqual([]);
  });
});
