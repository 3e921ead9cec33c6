import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { GraphValue } from "../inspect/read-graph.ts";
import { readSamples } from "./samples-file.ts";

const path = join(mkdtempSync(join(tmpdir(), "ledge-cli-")), "samples.json");
const input = (name: string, datatype: GraphValue["datatype"]): GraphValue => ({
  name,
  datatype,
  shape: [-1, -1],
  dimensions: ["", ""],
});
const facts = { inputs: [input("a", "INT64"), input("b", "FP16")] };

const read = (value: unknown) => {
  writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
  return readSamples(path, facts);
};
const request = (a: object, b: object = { data: [[1]] }) => ({
  inputs: [
    { name: "a", ...a },
    { name: "b", ...b },
  ],
});

test("one request of the Open Inference Protocol or a list of them, flat or nested, in the graph's types", async () => {
  const [first, second] = await read([
    request({ shape: [1, 2], data: [1, 2] }),
    request({ data: [[3], [4]] }, { data: [[-2], [65504]] }),
  ]);
  expect(first?.a).toEqual({ datatype: "INT64", shape: [1, 2], data: BigInt64Array.of(1n, 2n) });
  expect(second?.a?.shape).toEqual([2, 1]);
  expect(second?.b?.data).toEqual(Uint16Array.of(0xc000, 0x7bff));
});

test("what does not fit is said with the file's and the input's name", async () => {
  await expect(read("{")).rejects.toThrow("samples.json cannot be read as JSON");
  await expect(read([])).rejects.toThrow("holds no inputs");
  await expect(read({})).rejects.toThrow('has no "inputs"');
  await expect(read({ inputs: [] })).rejects.toThrow("lacks the input 'a'");
  await expect(read(request({}))).rejects.toThrow("'a' has no data");
  await expect(read(request({ shape: [3], data: [1] }))).rejects.toThrow("'a' has 1 elements");
  await expect(read(request({ data: [0.5] }))).rejects.toThrow("holds a value that is no INT64");
});
