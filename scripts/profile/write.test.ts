import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "ledge-profile-"));
const model = join(folder, "model.json");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  const file = { path: "model.onnx", bytes: 1, sha256: "0".repeat(64) };
  const inputs = [{ name: "x", datatype: "FP32", shape: [-1, 2] }];
  const rest = { task: "tensor", description: "", licence: "none", outputs: [], tiers: ["edge"], limits: {} };
  writeFileSync(model, JSON.stringify({ name: "m", version: "1", file, inputs, ...rest }));
});

const rows = Array.from({ length: 200 }, (_, i) => [i / 200, 1_000 + (i % 7)]);

function write(...args: string[]): string {
  const script = join(import.meta.dirname, "write.ts");
  return execFileSync(process.execPath, [script, "--model", model, ...args], { encoding: "utf8", stdio: "pipe" });
}

function fileOf(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const profile = () => JSON.parse(readFileSync(model, "utf8")).profile;

/** As `numpy.save` writes rows of two. */
function npy(type: string, order: "True" | "False", data: Float32Array | Float64Array): Uint8Array {
  const said = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${data.length / 2}, 2), }`;
  const header = `${said.padEnd(117)}\n`;
  const head = Buffer.from(`\u0093NUMPY\u0001\u0000${String.fromCharCode(header.length, 0)}${header}`, "latin1");
  return Buffer.concat([head, Buffer.from(data.buffer)]);
}

describe("the program that writes a profile", () => {
  test("writes the same profile of nested lists in JSON and of NumPy's arrays", () => {
    write("--tensors", fileOf("rows.json", JSON.stringify(rows)));
    const { x } = profile().tensors;
    expect(x.features).toEqual([
      [0.4975, 0.2887],
      [1002.97, 1.997],
    ]);
    write("--tensors", fileOf("rows.npy", npy("<f8", "False", Float64Array.from(rows.flat()))));
    expect(profile().tensors.x).toEqual(x);
    write("--tensors", fileOf("rows.npy", npy("<f4", "False", Float32Array.from(rows.flat()))));
    expect(profile().tensors.x).toEqual(x);
  });

  test("writes one mean of all numbers when told so, and keeps what it wrote of texts", () => {
    write("--texts", fileOf("texts.txt", "what is my balance\nplay some jazz\n"));
    write("--tensors", fileOf("rows.json", JSON.stringify(rows)), "--together");
    expect(profile().tensors.x.features).toHaveLength(1);
    expect(Object.keys(profile().texts.features)).toHaveLength(6);
  });

  test.each<[string, string, RegExp]>([
    ["rows of another shape", JSON.stringify([[1, 2, 3]]), /has the shape \[2\]; those of the file, \[3\]/],
    ["lists of several lengths", JSON.stringify([[1, 2], [1]]), /not all of one shape/],
    ["what is no number", JSON.stringify([["1", "2"]]), /no number/],
    ["no rows", "[]", /no rows/],
  ])("refuses %s and leaves the manifest as it is", (_what, content, why) => {
    const before = readFileSync(model, "utf8");
    expect(() => write("--tensors", fileOf("rows.json", content))).toThrow(why);
    expect(readFileSync(model, "utf8")).toBe(before);
  });

  test("refuses an array whose columns come first, and one of a type that it does not read", () => {
    const data = Float64Array.from(rows.flat());
    expect(() => write("--tensors", fileOf("rows.npy", npy("<f8", "True", data)))).toThrow(/Columns come first/);
    expect(() => write("--tensors", fileOf("rows.npy", npy(">f8", "False", data)))).toThrow(/>f8 is not read/);
  });

  test("refuses an input that the graph does not have, and names those there are", () => {
    expect(() => write("--tensors", fileOf("rows.json", JSON.stringify(rows)), "--input", "y")).toThrow(/one of x/);
  });
});
